-- rolled_up(seconds, width): bars of `width` seconds, a divisor of a day, out of the 1-second bars in the table, view or
-- CTE named `seconds`. Grain: one symbol, one stretch of the UTC day that has at least one second.
-- Flat seconds count for neither open, high nor low; a stretch without any trade is flat itself. A complete one (each of
-- its seconds there and complete) equals the exchange's own kline. It opens with the lowest trade id and closes with the
-- highest. Where these stand more than 1,000 ids from those of its first and last second, trade ids have started again, or
-- a trade's time is wrong: then time decides. Volumes are summed as decimals, so that a sum does not
-- depend on the order in which threads meet the rows. Integers, as date_trunc takes the client's zone, and time_bucket
-- makes the whole a sixth slower.
CREATE OR REPLACE MACRO rolled_up(seconds, width) AS TABLE
WITH stretches AS (
    SELECT
        symbol,
        make_timestamptz(epoch_us(window_start) // (1000000::BIGINT * width) * (1000000::BIGINT * width)) AS window_start,
        coalesce(arg_min(open, first_trade_id) FILTER (trade_count > 0), arg_min(open, window_start)) AS id_open,
        coalesce(max(high) FILTER (trade_count > 0), max(high)) AS high,
        coalesce(min(low) FILTER (trade_count > 0), min(low)) AS low,
        coalesce(arg_max(close, last_trade_id) FILTER (trade_count > 0), arg_max(close, window_start)) AS id_close,
        sum(volume_base::DECIMAL(38, 8))::VARCHAR::DOUBLE AS volume_base,
        sum(volume_quote::DECIMAL(38, 12))::VARCHAR::DOUBLE AS volume_quote,
        sum(trade_count)::BIGINT AS trade_count,
        arg_max({'bid': bid, 'ask': ask, 'spread': spread}, window_start)
            FILTER (bid IS NOT NULL OR ask IS NOT NULL) AS quote,
        sum(taker_buy_base::DECIMAL(38, 8))::VARCHAR::DOUBLE AS taker_buy_base,
        sum(taker_buy_quote::DECIMAL(38, 12))::VARCHAR::DOUBLE AS taker_buy_quote,
        min(first_trade_id) AS lowest, max(last_trade_id) AS highest,
        arg_min({'id': first_trade_id, 'price': open}, window_start) FILTER (trade_count > 0) AS earliest,
        arg_max({'id': last_trade_id, 'price': close}, window_start) FILTER (trade_count > 0) AS latest,
        coalesce(earliest.id - lowest > 1000 OR highest - latest.id > 1000, false) AS by_time,
        count(*) AS held,
        bool_and(complete) AS all_complete
    FROM query_table(seconds)
    GROUP BY ALL
)
SELECT
    'binance' AS exchange, symbol, window_start, CASE WHEN by_time THEN earliest.price ELSE id_open END AS open, high, low,
    CASE WHEN by_time THEN latest.price ELSE id_close END AS close, volume_base, volume_quote, trade_count,
    volume_quote / nullif(volume_base, 0) AS vwap, quote.bid AS bid, quote.ask AS ask, quote.spread AS spread,
    taker_buy_base, taker_buy_quote, CASE WHEN by_time THEN earliest.id ELSE lowest END AS first_trade_id,
    CASE WHEN by_time THEN latest.id ELSE highest END AS last_trade_id,
    held = width AND all_complete AS complete
FROM stretches;
