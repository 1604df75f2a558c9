-- The hours of a numbering that have a trade id at an end of one of their runs. Grain: one hour, or part of one.
-- Parameters: symbol, id, start, end (of the numbering).
SELECT hour FROM run WHERE symbol = :symbol AND first_id = :id AND hour >= :start AND hour < :end
UNION
SELECT hour FROM run WHERE symbol = :symbol AND last_id = :id AND hour >= :start AND hour < :end
