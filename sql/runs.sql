-- The runs of consecutive trade ids that the lines of each hour (or of the part of it in one numbering) name. Grain: one
-- run. Input: contents, those too that do not hold: so hours with lines of one id know of each other.
WITH steps AS (
    SELECT
        hour_us, first_id, last_id,
        first_id > coalesce(max(last_id) OVER (PARTITION BY hour_us ORDER BY first_id, last_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), -2) + 1 AS starts
    FROM contents
),
numbered AS (
    SELECT *, sum(starts::INT) OVER (PARTITION BY hour_us ORDER BY first_id, last_id ROWS UNBOUNDED PRECEDING) AS run
    FROM steps
)
SELECT hour_us, min(first_id) AS first_id, max(last_id) AS last_id
FROM numbered
GROUP BY hour_us, run
ORDER BY ALL
