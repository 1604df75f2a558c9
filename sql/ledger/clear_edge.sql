-- Forget the first and last trade of an hour, of each part of it. Parameters: symbol, hour.
DELETE FROM edge WHERE symbol = :symbol AND hour >= :hour AND hour < :hour + 3600000000
