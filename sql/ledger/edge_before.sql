-- The nearest trades before an hour, within its numbering. Parameters: symbol, hour, start (of the numbering).
SELECT hour, first_id, last_id, last_price, first_second, last_second FROM edge
WHERE symbol = :symbol AND hour < :hour AND hour >= :start ORDER BY hour DESC LIMIT 1
