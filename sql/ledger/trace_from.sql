-- The nearest noted seconds from a second on. Grain: one second. Parameters: symbol, second, most.
SELECT second, low, high FROM trace WHERE symbol = :symbol AND second >= :second ORDER BY second LIMIT :most
