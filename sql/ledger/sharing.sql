-- The other hours of a numbering that have an id of a run. Grain: one hour.
-- Parameters: symbol, hour, first_id, last_id, start, end (of the numbering).
SELECT DISTINCT hour - hour % 3600000000 FROM run INDEXED BY run_last
WHERE symbol = :symbol AND last_id >= :first_id AND first_id <= :last_id AND hour >= :start AND hour < :end
    AND NOT hour BETWEEN :hour AND :hour + 3599999999
