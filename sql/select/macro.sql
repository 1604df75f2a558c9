-- Macro minutes of some tickers with $start <= window_start < $end, in the order of $symbols, then by time.
SELECT *
FROM macro_in($files)
WHERE list_contains($symbols, ticker) AND window_start >= $start AND window_start < $end
ORDER BY list_position($symbols, ticker), window_start;
