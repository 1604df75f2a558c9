-- The raw day folders of a symbol as they were last listed. Grain: one day. Parameter: symbol.
SELECT day, mtime_ns FROM folder WHERE symbol = :symbol
