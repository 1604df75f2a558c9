-- The bars of an hour have been written, with some number of trades. Parameters: symbol, hour, surroundings, trades.
INSERT OR REPLACE INTO built VALUES (:symbol, :hour, :surroundings, :trades)
