-- Whether a line of a contradicted id names a second: then it is a row. Parameters: symbol, second.
SELECT 1 FROM contradiction WHERE symbol = :symbol AND second = :second LIMIT 1
