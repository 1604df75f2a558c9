-- The seconds of a numbering that lines of a contradicted id name. Grain: one second.
-- Parameters: symbol, id, start, end (of the numbering).
SELECT second FROM contradiction WHERE symbol = :symbol AND id = :id AND second >= :start AND second < :end
