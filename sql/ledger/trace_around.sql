-- The noted seconds of an hour, and the nearest one before and after it. Grain: one second. Parameters: symbol, hour.
SELECT second, high FROM (
    SELECT second, high FROM trace WHERE symbol = :symbol AND second < :hour ORDER BY second DESC LIMIT 1
)
UNION ALL
SELECT second, high FROM trace WHERE symbol = :symbol AND second >= :hour AND second < :hour + 3600000000
UNION ALL
SELECT second, high FROM (
    SELECT second, high FROM trace WHERE symbol = :symbol AND second >= :hour + 3600000000 ORDER BY second LIMIT 1
)
ORDER BY second
