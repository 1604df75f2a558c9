-- The nearest trades after an hour, within its numbering. Parameters: symbol, hour, end (of the numbering).
SELECT hour, first_id, last_id, last_price, first_second, last_second FROM edge
WHERE symbol = :symbol AND hour > :hour AND hour < :end ORDER BY hour LIMIT 1
