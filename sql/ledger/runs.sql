-- The runs of ids of an hour, and in which part of it they are. Grain: one run. Parameters: symbol, hour.
SELECT hour, first_id, last_id FROM run
WHERE symbol = :symbol AND hour >= :hour AND hour < :hour + 3600000000 ORDER BY first_id
