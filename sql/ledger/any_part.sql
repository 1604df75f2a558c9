-- One part that was read of a symbol, where any was. Parameter: symbol.
SELECT 1 FROM part WHERE symbol = :symbol LIMIT 1
