-- The first candle that the exchange has. Parameters: symbol, interval, first_us.
INSERT OR REPLACE INTO listing VALUES (:symbol, :interval, :first_us)
