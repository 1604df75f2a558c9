-- lines: the raw lines of some parts, typed as far as is cheap, each with the reason why it cannot be used, or null.
-- Grain: one line. Inputs: raw parts of one symbol (files, symbol).
-- Numbers that count as money are read as JSON, not as VARCHAR: a JSON string keeps its quotes, and a JSON number, which
-- has been through a double (9999999999.99999999 becomes 10000000000.0), can be told apart. Costs nothing (600,000 lines:
-- 0.28 s either way). A line that is torn or no object gives a row of nulls here.
CREATE OR REPLACE TEMP TABLE lines AS
WITH typed AS (
    SELECT
        filename, symbol, stream, side, ts_event, ts_recv, trade_id, coalesce(first_trade_id, trade_id) AS first_id,
        update_id,
        CASE WHEN stream = 'trade' THEN exact(price) ELSE exact(bid) END AS left_value,
        CASE WHEN stream = 'trade' THEN exact(qty) ELSE exact(ask) END AS right_value,
        CASE WHEN stream = 'bookTicker' THEN bid IS NOT NULL AND bid <> 'null' END AS has_bid,
        CASE WHEN stream = 'bookTicker' THEN ask IS NOT NULL AND ask <> 'null' END AS has_ask
    FROM read_json(
        $files, format = 'newline_delimited', ignore_errors = true, filename = true, maximum_object_size = 1048576,
        columns = {
            symbol: 'VARCHAR', stream: 'VARCHAR', side: 'VARCHAR', ts_event: 'BIGINT', ts_recv: 'BIGINT',
            trade_id: 'BIGINT', first_trade_id: 'BIGINT', update_id: 'BIGINT',
            price: 'JSON', qty: 'JSON', bid: 'JSON', ask: 'JSON'
        }
    )
)
SELECT
    filename, stream = 'trade' AS is_trade, side = 'buy' AS taker_buys, ts_event, ts_recv, first_id,
    trade_id AS last_id, update_id, left_value, right_value,
    CASE
        WHEN symbol IS NULL AND stream IS NULL AND ts_recv IS NULL THEN 'no whole JSON object with the fields of a raw line'
        WHEN symbol IS DISTINCT FROM $symbol THEN 'symbol is not that of the folder'
        WHEN ts_recv IS NULL OR NOT plausible(ts_recv) THEN 'ts_recv is no time in microseconds'
        WHEN stream = 'trade' THEN CASE
            WHEN trade_id IS NULL OR first_id < 0 OR first_id > trade_id OR trade_id >= 4611686018427387904
                OR trade_id - first_id > 1000000 THEN 'trade_id is no trade id'
            WHEN ts_event IS NULL OR NOT plausible(ts_event) THEN 'ts_event is no time in microseconds'
            WHEN ts_event > ts_recv + 86400000000 THEN 'ts_event is more than a day after ts_recv'
            WHEN left_value IS NULL OR left_value <= 0 THEN 'price is no decimal text above zero with at most 8 decimals'
            WHEN right_value IS NULL OR right_value <= 0 THEN 'qty is no decimal text above zero with at most 8 decimals'
            WHEN left_value::DOUBLE * right_value::DOUBLE > 1e20 THEN 'price x qty is beyond 1e20'
            WHEN side IS NULL OR side NOT IN ('buy', 'sell') THEN 'side is neither buy nor sell'
        END
        WHEN stream = 'bookTicker' THEN CASE
            WHEN NOT has_bid AND NOT has_ask THEN 'a quote without bid and ask'
            WHEN has_bid AND (left_value IS NULL OR left_value < 0) THEN 'bid is no decimal text with at most 8 decimals'
            WHEN has_ask AND (right_value IS NULL OR right_value < 0) THEN 'ask is no decimal text with at most 8 decimals'
        END
        ELSE 'stream is neither trade nor bookTicker'
    END AS reason
FROM typed
