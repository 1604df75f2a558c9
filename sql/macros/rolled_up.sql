-- rolled_up(seconds, width, gap_files): bars of `width` seconds, a divisor of a day, out of the 1-second bars in the table,
-- view or CTE named `seconds`. Grain: one symbol, one stretch of the UTC day that has at least one second.
-- Flat seconds count for neither open, high nor low; a stretch without any trade is flat itself. A complete one (each of
-- its seconds there and complete) equals the exchange's own kline. Volumes are summed as decimals, so that a sum does not
-- depend on the order in which threads meet the rows. Integers, as date_trunc takes the client's zone, and time_bucket
-- makes the whole a sixth slower.
-- A stretch opens with its lowest trade id and closes with its highest. A stretch in which trade ids start again, by
-- gap_files (ledger/gaps), opens with its first second that has trades and closes with its last.
CREATE OR REPLACE MACRO rolled_up(seconds, width, gap_files := []::VARCHAR[]) AS TABLE
WITH timed AS (
    SELECT
        * EXCLUDE starts,
        make_timestamptz(epoch_us(window_start) // (1000000::BIGINT * width) * (1000000::BIGINT * width)) AS stretch,
        CASE WHEN starts IS NULL THEN false ELSE coalesce(
            list_bool_or([start > stretch AND start < stretch + to_seconds(width) FOR start IN starts[symbol]]),
            false
        ) END AS by_time,
        CASE WHEN by_time THEN epoch_us(window_start) ELSE first_trade_id END AS first_place,
        CASE WHEN by_time THEN epoch_us(window_start) ELSE last_trade_id END AS last_place
    FROM query_table(seconds), starts_in(gap_files)
),
stretches AS (
    SELECT
        symbol, stretch,
        coalesce(arg_min(open, first_place) FILTER (trade_count > 0), arg_min(open, window_start)) AS open,
        coalesce(max(high) FILTER (trade_count > 0), max(high)) AS high,
        coalesce(min(low) FILTER (trade_count > 0), min(low)) AS low,
        coalesce(arg_max(close, last_place) FILTER (trade_count > 0), arg_max(close, window_start)) AS close,
        sum(volume_base::DECIMAL(38, 8))::VARCHAR::DOUBLE AS volume_base,
        sum(volume_quote::DECIMAL(38, 12))::VARCHAR::DOUBLE AS volume_quote,
        sum(trade_count)::BIGINT AS trade_count,
        arg_max({'bid': bid, 'ask': ask, 'spread': spread}, window_start)
            FILTER (bid IS NOT NULL OR ask IS NOT NULL) AS quote,
        sum(taker_buy_base::DECIMAL(38, 8))::VARCHAR::DOUBLE AS taker_buy_base,
        sum(taker_buy_quote::DECIMAL(38, 12))::VARCHAR::DOUBLE AS taker_buy_quote,
        arg_min(first_trade_id, first_place) AS first_trade_id,
        arg_max(last_trade_id, last_place) AS last_trade_id,
        count(*) AS held,
        bool_and(complete) AS all_complete
    FROM timed
    GROUP BY ALL
)
SELECT
    'binance' AS exchange, symbol, stretch AS window_start, open, high, low, close, volume_base, volume_quote, trade_count,
    volume_quote / nullif(volume_base, 0) AS vwap, quote.bid AS bid, quote.ask AS ask, quote.spread AS spread,
    taker_buy_base, taker_buy_quote, first_trade_id, last_trade_id,
    held = width AND all_complete AS complete
FROM stretches;
