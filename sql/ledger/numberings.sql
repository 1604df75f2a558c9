-- The seconds with which numberings begin. Grain: one numbering but the first. Parameter: symbol.
SELECT start FROM numbering WHERE symbol = :symbol ORDER BY start
