-- Bars of $width seconds of some symbols with $start <= window_start < $end, each made of all its seconds, those after $end
-- too: $start and $end may lie off the grid. Ordered as bars_1s.sql. A bar that begins before $start is made of a part
-- of its seconds here, and one that begins at $end or later too: both are left out.
WITH seconds AS (
    SELECT *
    FROM bars_in($hour_files, $day_files)
    WHERE list_contains($symbols, symbol)
        AND window_start >= $start AND window_start < $end::TIMESTAMPTZ + to_seconds($width)
)
SELECT *
FROM rolled_up('seconds', $width, $gap_files)
WHERE window_start >= $start AND window_start < $end
ORDER BY list_position($symbols, symbol), window_start;
