-- The nearest seconds with trades from a second on. Parameters: symbol, second, most.
SELECT second, low, high FROM trace WHERE symbol = :symbol AND second >= :second ORDER BY second LIMIT :most
