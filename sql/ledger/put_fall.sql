-- A second whose ids do not go on above those before. Parameters: symbol, second.
INSERT OR IGNORE INTO fall VALUES (:symbol, :second)
