-- The runs of ids that an hour holds. Grain: one run. Parameters: symbol, hour.
SELECT first_id, last_id FROM run WHERE symbol = :symbol AND hour = :hour ORDER BY first_id
