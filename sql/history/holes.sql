-- The ranges in which the exchange has no candle. Parameters: symbol, interval.
SELECT start_us, end_us FROM hole WHERE symbol = :symbol AND interval = :interval ORDER BY start_us
