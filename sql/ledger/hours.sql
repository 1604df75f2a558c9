-- The hours of a symbol in a window that any part has events of. Grain: one hour. Parameters: symbol, start, end.
SELECT DISTINCT hour FROM part_hour WHERE symbol = :symbol AND hour >= :start AND hour < :end ORDER BY hour
