-- Forget the first and last trade of an hour. Parameters: symbol, hour.
DELETE FROM edge WHERE symbol = :symbol AND hour = :hour
