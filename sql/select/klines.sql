-- Klines of some symbols with $start <= window_start < $end, in the order of $symbols, then by time.
SELECT * EXCLUDE (year, month, day)
FROM klines_in($files)
WHERE list_contains($symbols, symbol) AND window_start >= $start AND window_start < $end
ORDER BY list_position($symbols, symbol), window_start;
