-- contents: the trades of the hours to build, each content once. Grain: one content of one trade or aggregate (first_id <
-- last_id): trade time, price, quantity and side. Ids are compared within one numbering: $starts are the seconds with
-- which a new one begins (0: the first).
-- However often a trade came it is the same trade. Where two lines contradict each other under one id, the one received
-- first holds (place 1), and of two at the same microsecond the smaller, so that the order of lines does not matter.
-- cover: the last id of the aggregates that begin before a trade; a trade that an aggregate contains is left to it.
-- hour_us: the beginning of the hour, or of the part of it that lies in one numbering.
CREATE OR REPLACE TEMP TABLE contents AS
WITH lines AS (
    SELECT first_id, last_id, ts_event, price, qty, taker_buys, min(ts_recv) AS ts_recv
    FROM trades
    WHERE ts_event - ts_event % 3600000000 IN (SELECT unnest($hours::BIGINT[]))
    GROUP BY ALL
),
numbered AS (
    SELECT *, coalesce(list_max(list_filter($starts::BIGINT[], lambda start: start <= ts_event)), 0) AS numbering
    FROM lines
),
placed AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY numbering, last_id
            ORDER BY first_id, ts_recv, ts_event // 1000000, price, qty, taker_buys, ts_event
        ) AS place
    FROM numbered
)
SELECT
    *, greatest(ts_event - ts_event % 3600000000, numbering) AS hour_us,
    max(last_id) FILTER (first_id < last_id) OVER (
        PARTITION BY numbering ORDER BY first_id, last_id DESC, place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS cover
FROM placed
