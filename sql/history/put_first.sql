-- The first candle that REST has. Parameters: symbol, interval, first_us.
INSERT OR REPLACE INTO listing VALUES (:symbol, :interval, :first_us)
