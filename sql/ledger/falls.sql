-- The seconds with trades whose ids do not ascend. Grain: one second. Parameter: symbol.
SELECT second FROM trace WHERE symbol = :symbol AND falls ORDER BY second
