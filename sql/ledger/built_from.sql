-- The hours of a range that have bars. Grain: one hour. Parameters: symbol, start, end (exclusive).
SELECT hour FROM built WHERE symbol = :symbol AND hour >= :start AND hour < :end ORDER BY hour
