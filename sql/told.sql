-- How many trade ids the raw lines of one hour name, each once in its numbering. Input: trades. Unlike held: an id that
-- two lines give two trade times counts in both hours, though only one of them gets it.
WITH lines AS (
    SELECT DISTINCT
        first_id, last_id,
        coalesce(list_max(list_filter($starts::BIGINT[], lambda start: start <= ts_event)), 0) AS numbering
    FROM trades
    WHERE ts_event - ts_event % 3600000000 = $hour
),
ordered AS (
    SELECT
        first_id, last_id,
        max(last_id) OVER (
            PARTITION BY numbering ORDER BY first_id, last_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS highest
    FROM lines
)
SELECT coalesce(sum(greatest(last_id - greatest(first_id - 1, coalesce(highest, first_id - 1)), 0)), 0)::BIGINT FROM ordered
