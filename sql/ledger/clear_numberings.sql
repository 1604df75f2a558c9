-- Forget where numberings begin. Parameter: symbol.
DELETE FROM numbering WHERE symbol = :symbol
