-- The nearest seconds with trades before a second, the latest first. Parameters: symbol, second, most.
SELECT second, low, high FROM trace WHERE symbol = :symbol AND second < :second ORDER BY second DESC LIMIT :most
