-- The other hours of a numbering that have a line of an id which is contradicted in a part of an hour. Grain: one hour.
-- Parameters: symbol, hour, first, until (the part of the hour), start, end (of the numbering).
SELECT DISTINCT other.second - other.second % 3600000000
FROM contradiction AS mine
JOIN contradiction AS other ON other.symbol = mine.symbol AND other.id = mine.id
WHERE mine.symbol = :symbol AND mine.second >= :first AND mine.second < :until
    AND other.second >= :start AND other.second < :end
    AND NOT other.second BETWEEN :hour AND :hour + 3599999999
