-- The hours that hold a trade id at an end of one of their runs. Grain: one hour. Parameters: symbol, id.
SELECT hour FROM run WHERE symbol = :symbol AND first_id = :id
UNION
SELECT hour FROM run WHERE symbol = :symbol AND last_id = :id
