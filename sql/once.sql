-- once: the trades of the hours to build, each once. Grain: one trade or aggregate (first_id < last_id), that is one
-- last_id of one numbering. Ids are compared within one numbering alone: $starts are the seconds with which a new one
-- begins. However often a trade came it is the same trade; where lines contradict each other under one id, the one that
-- was received first holds, and of two at the same microsecond the smaller, so that the order of lines does not matter.
-- copies: how many contents the id has. cover: the last id of the aggregate that contains the trade, where that is not
-- below last_id.
CREATE OR REPLACE TEMP TABLE once AS
WITH contents AS (
    SELECT first_id, last_id, ts_event, price, qty, taker_buys, min(ts_recv) AS ts_recv
    FROM trades
    WHERE ts_event - ts_event % 3600000000 IN (SELECT unnest($hours::BIGINT[]))
    GROUP BY ALL
),
numbered AS (
    SELECT *, coalesce(list_max(list_filter($starts::BIGINT[], lambda start: start <= ts_event)), 0) AS numbering
    FROM contents
),
chosen AS (
    SELECT *, count(*) OVER (PARTITION BY numbering, last_id) AS copies
    FROM numbered
    QUALIFY copies = 1 OR row_number() OVER (
        PARTITION BY numbering, last_id ORDER BY first_id, ts_recv, ts_event, price, qty, taker_buys
    ) = 1
)
SELECT
    *,
    max(last_id) FILTER (first_id < last_id) OVER (
        PARTITION BY numbering ORDER BY first_id, last_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS cover
FROM chosen
