-- Bars of $width seconds of some symbols, made of their seconds with $start <= window_start < $end; ordered as bars_1s.sql.
WITH seconds AS (
    SELECT *
    FROM bars_in($hour_files, $day_files)
    WHERE list_contains($symbols, symbol) AND window_start >= $start AND window_start < $end
)
SELECT *
FROM rolled_up('seconds', $width)
ORDER BY list_position($symbols, symbol), window_start;
