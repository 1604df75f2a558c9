-- The nearest hour (or part of one) with trades after a time, in its numbering. Parameters: symbol, hour, end.
SELECT hour, first_id, last_id, last_price FROM edge
WHERE symbol = :symbol AND hour > :hour AND hour < :end ORDER BY hour LIMIT 1
