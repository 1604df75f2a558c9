-- Of the seconds with trades, those that decide where a new numbering begins (lake/numbering.py): the first and the last
-- $around of each hour, and $around on both sides of each fall in it. Grain: one second. Input: trades, every line of
-- them, so that the answer does not depend on which of two contradicting lines holds.
WITH seconds AS (
    SELECT
        ts_event - ts_event % 3600000000 AS hour_us, ts_event - ts_event % 1000000 AS second_us,
        min(first_id) AS low, max(last_id) AS high
    FROM trades
    WHERE hour_us IN (SELECT unnest($hours::BIGINT[]))
    GROUP BY ALL
),
placed AS (
    SELECT
        *, row_number() OVER in_order AS place, count(*) OVER (PARTITION BY hour_us) AS seconds,
        coalesce(high <= lag(high) OVER in_order, false) AS falls
    FROM seconds
    WINDOW in_order AS (PARTITION BY hour_us ORDER BY second_us)
)
SELECT hour_us, second_us, low, high
FROM placed
QUALIFY place <= $around OR place > seconds - $around OR bool_or(falls) OVER (
    PARTITION BY hour_us ORDER BY second_us ROWS BETWEEN $around - 1 PRECEDING AND $around FOLLOWING
)
ORDER BY second_us
