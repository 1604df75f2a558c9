-- The synthetic dollar index. Grain: one bucket of $seconds (a minute or more) that has one. Input: what select/dxy reads.
WITH minutes AS (SELECT * FROM macro_in($files) WHERE list_contains($symbols, ticker))
SELECT time_bucket(to_seconds($seconds), window_start) AS window_start, arg_max(dxy, window_start) AS close
FROM dxy_of('minutes')
WHERE window_start >= $start AND window_start < $end
GROUP BY ALL
ORDER BY window_start;
