-- The bars of an hour have been written. Parameters: symbol, hour, surroundings.
INSERT OR REPLACE INTO built VALUES (:symbol, :hour, :surroundings)
