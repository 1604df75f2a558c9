-- A line of a contradicted id names a second. Parameters: symbol, id, second.
INSERT OR IGNORE INTO contradiction VALUES (:symbol, :id, :second)
