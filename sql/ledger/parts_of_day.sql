-- The parts known of one raw day folder. Grain: one part. Parameters: symbol, day.
SELECT name, size, mtime_ns FROM part WHERE symbol = :symbol AND day = :day AND NOT gone
