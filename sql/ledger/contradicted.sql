-- The contradicted ids in a part of an hour. Grain: one id, one second. Parameters: symbol, first, until.
SELECT id, second FROM contradiction WHERE symbol = :symbol AND second >= :first AND second < :until
