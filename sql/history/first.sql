-- The open time of the first candle that REST has. Parameters: symbol, interval.
SELECT first_us FROM listing WHERE symbol = :symbol AND interval = :interval
