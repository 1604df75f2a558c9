-- The ranges in which the exchange has nothing. Parameters: symbol, interval.
SELECT start_us, end_us FROM hole WHERE symbol = :symbol AND interval = :interval ORDER BY start_us
