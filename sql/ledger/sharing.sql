-- The other hours that hold an id of a run. Grain: one hour. Parameters: symbol, hour, first_id, last_id.
SELECT DISTINCT hour FROM run INDEXED BY run_last
WHERE symbol = :symbol AND last_id >= :first_id AND first_id <= :last_id AND hour <> :hour
