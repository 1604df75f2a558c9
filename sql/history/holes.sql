-- The ranges in which a source has nothing. Parameters: symbol, interval, source.
SELECT start_us, end_us FROM hole
WHERE symbol = :symbol AND interval = :interval AND source = :source ORDER BY start_us
