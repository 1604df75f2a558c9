-- Forget the runs of ids of an hour. Parameters: symbol, hour.
DELETE FROM run WHERE symbol = :symbol AND hour >= :hour AND hour < :hour + 3600000000
