-- What is held of $start to $end in stretches of $width seconds. Among the files is the last day with bars before $start,
-- so that a hole which ends in the range is seen.
WITH seconds AS NOT MATERIALIZED (
    SELECT * FROM bars_in($hour_files, $day_files) WHERE list_contains($symbols, symbol) AND window_start < $end
),
numberings AS (SELECT * FROM numberings_in($numbering_files))
SELECT *
FROM coverage_of('seconds', 'numberings', $width, $symbols, $start, $end)
ORDER BY list_position($symbols, symbol), window_start;
