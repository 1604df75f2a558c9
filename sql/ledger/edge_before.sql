-- The nearest hour (or part of one) with trades before a time, in its numbering. Parameters: symbol, hour, start.
SELECT hour, first_id, last_id, last_price FROM edge
WHERE symbol = :symbol AND hour < :hour AND hour >= :start ORDER BY hour DESC LIMIT 1
