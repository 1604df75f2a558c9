-- The bars of an hour have been written. Parameters: symbol, hour.
DELETE FROM dirty WHERE symbol = :symbol AND hour = :hour
