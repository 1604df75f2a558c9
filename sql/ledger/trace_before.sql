-- The nearest noted seconds before a second, the nearest first. Grain: one second. Parameters: symbol, second, most.
SELECT second, low, high FROM trace WHERE symbol = :symbol AND second < :second ORDER BY second DESC LIMIT :most
