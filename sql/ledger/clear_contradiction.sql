-- Forget that a line of a contradicted id names a second. Parameters: symbol, id, second.
DELETE FROM contradiction WHERE symbol = :symbol AND id = :id AND second = :second
