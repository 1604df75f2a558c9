-- A numbering begins. Parameters: symbol, start.
INSERT INTO numbering VALUES (:symbol, :start)
