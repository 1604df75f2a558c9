-- The days of which a symbol has parts that are not known to be gone. Grain: one day. Parameter: symbol.
SELECT DISTINCT day FROM part WHERE symbol = :symbol AND NOT gone
