-- The bars of an hour are not those that it held when they were written. Parameters: symbol, hour.
DELETE FROM built WHERE symbol = :symbol AND hour = :hour
