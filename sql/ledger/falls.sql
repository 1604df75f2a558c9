-- The seconds whose ids do not go on above those before. Grain: one second. Parameter: symbol.
SELECT second FROM fall WHERE symbol = :symbol ORDER BY second
