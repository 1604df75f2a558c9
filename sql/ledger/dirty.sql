-- The dirty hours of a symbol in a window. Grain: one hour. Parameters: symbol, start, end.
SELECT hour FROM dirty WHERE symbol = :symbol AND hour >= :start AND hour < :end ORDER BY hour
