-- The runs of ids that an hour holds, of all parts of it. Grain: one run. Parameters: symbol, hour.
SELECT hour, first_id, last_id FROM run
WHERE symbol = :symbol AND hour >= :hour AND hour < :hour + 3600000000 ORDER BY hour, first_id
