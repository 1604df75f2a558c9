-- The synthetic dollar index with $start <= window_start < $end, by time. $files are of the six rates, $symbols, from five
-- minutes before $start on: so long is a close carried on.
WITH minutes AS (SELECT * FROM macro_in($files) WHERE list_contains($symbols, ticker))
SELECT *
FROM dxy_of('minutes')
WHERE window_start >= $start AND window_start < $end
ORDER BY window_start;
