-- Forget the first and last trade of an hour and of its parts. Parameters: symbol, hour.
DELETE FROM edge WHERE symbol = :symbol AND hour >= :hour AND hour < :hour + 3600000000
