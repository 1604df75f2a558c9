-- held: the trades of the hours to build, each once. Grain: one trade (or aggregate: first_id < last_id).
-- However often a trade came it is the same trade; where two lines contradict each other under one id, the one that was
-- received first holds, and of two at the same microsecond the smaller, so that the order of lines does not matter.
-- A trade that an aggregate contains is left to the aggregate.
CREATE OR REPLACE TEMP TABLE held AS
WITH chosen AS (
    SELECT
        first_id, last_id, ts_event - ts_event % 1000000 AS second_us,
        arg_min({'price': price, 'qty': qty, 'taker_buys': taker_buys}, (ts_recv, price, qty, taker_buys)) AS trade,
        min(ts_recv) AS ts_recv
    FROM trades
    WHERE ts_event - ts_event % 3600000000 IN (SELECT unnest($hours::BIGINT[]))
    GROUP BY ALL
),
once AS (
    SELECT * FROM chosen
    QUALIFY count(*) OVER (PARTITION BY last_id) = 1
        OR row_number() OVER (PARTITION BY last_id ORDER BY first_id, ts_recv, second_us) = 1
)
SELECT
    second_us - second_us % 3600000000 AS hour_us, second_us, first_id, last_id, trade.price, trade.qty, trade.taker_buys
FROM once
QUALIFY coalesce(max(last_id) FILTER (first_id < last_id) OVER (
    ORDER BY first_id, last_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
) < last_id, true)
