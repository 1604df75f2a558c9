-- The hours that have bars, strictly between two hours. Grain: one hour. Parameters: symbol, after, before.
SELECT hour FROM built WHERE symbol = :symbol AND hour > :after AND hour < :before ORDER BY hour
