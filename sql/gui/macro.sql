-- Closes of macro tickers. Grain: one bucket of $seconds (a minute or more) that has a price. Input: their $files.
SELECT time_bucket(to_seconds($seconds), window_start) AS window_start, arg_max(close, window_start) AS close
FROM macro_in($files)
WHERE list_contains($symbols, ticker) AND window_start >= $start AND window_start < $end
GROUP BY ALL
ORDER BY window_start;
