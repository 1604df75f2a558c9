-- Forget the runs of ids of an hour, of each part of it. Parameters: symbol, hour.
DELETE FROM run WHERE symbol = :symbol AND hour >= :hour AND hour < :hour + 3600000000
