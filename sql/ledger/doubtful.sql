-- The seconds of an hour that a line of a contradicted id names. Grain: one second. Parameters: symbol, hour.
SELECT DISTINCT second FROM contradiction
WHERE symbol = :symbol AND second >= :hour AND second < :hour + 3600000000 ORDER BY second
