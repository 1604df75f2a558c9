-- The UTC days that have hours with bars, as days since 1970. Grain: one day. Parameters: symbol.
SELECT DISTINCT hour / 86400000000 FROM built WHERE symbol = :symbol
