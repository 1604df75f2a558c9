-- Forget the falls of a stretch of time. Parameters: symbol, first, last (both within it).
DELETE FROM fall WHERE symbol = :symbol AND second >= :first AND second <= :last
