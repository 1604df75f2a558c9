-- The hours of a stretch of time that hold trades, or have a line that contradicts one. Grain: one hour.
-- Parameters: symbol, first, end.
SELECT hour - hour % 3600000000 AS hour FROM edge WHERE symbol = :symbol AND hour >= :first AND hour < :end
UNION
SELECT second - second % 3600000000 FROM contradiction WHERE symbol = :symbol AND second >= :first AND second < :end
ORDER BY hour
