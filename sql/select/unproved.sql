-- Stretches of $start to $end in which a symbol has no bar that is proved complete. Grain: one such stretch.
-- One symbol at a time: the two bounds stand for a complete second before and after the range.
WITH proved AS (
    SELECT window_start AS second
    FROM bars_in($hour_files, $day_files)
    WHERE list_contains($symbols, symbol) AND window_start >= $start AND window_start < $end AND complete
    UNION ALL
    SELECT unnest([$start::TIMESTAMPTZ - INTERVAL 1 SECOND, $end::TIMESTAMPTZ])
),
pairs AS (SELECT second + INTERVAL 1 SECOND AS first, lead(second) OVER (ORDER BY second) AS next FROM proved)
SELECT epoch_us(first) AS first_us, epoch_us(next) AS end_us
FROM pairs
WHERE next > first
ORDER BY first;
