-- The 1-second bars of some hours, as decimals and integers; text turns into the nearest double only at the very end.
-- Grain: one second that has trades or is proved to have none. Inputs: held, quotes, contradictions, and from the ledger:
-- edge_rows (the trade before and after each hour) and ends (of each run of ids: whether the trade before and after it is
-- held). An hour in which trade ids start again is two hours here, each from hour_us to until_us.
WITH traded AS (
    SELECT
        second_us,
        arg_min(price, first_id) AS open, max(price) AS high, min(price) AS low, arg_max(price, last_id) AS close,
        sum(qty) AS volume_base, sum(price * qty) AS volume_quote, sum(last_id - first_id + 1)::BIGINT AS trade_count,
        coalesce(sum(qty) FILTER (taker_buys), 0) AS taker_buy_base,
        coalesce(sum(price * qty) FILTER (taker_buys), 0) AS taker_buy_quote,
        min(first_id) AS first_trade_id, max(last_id) AS last_trade_id
    FROM held
    GROUP BY second_us
),
grid AS (
    SELECT *, unnest(range(hour_us, until_us, 1000000)) AS second_us FROM edge_rows
),
placed AS (
    SELECT
        grid.hour_us, grid.second_us, traded.* EXCLUDE (second_us),
        coalesce(last_value(traded.last_trade_id IGNORE NULLS) OVER before, before_id) AS id_before,
        coalesce(last_value(traded.close IGNORE NULLS) OVER before, before_price::DECIMAL(28, 8)) AS close_before,
        coalesce(first_value(traded.first_trade_id IGNORE NULLS) OVER after, after_id) AS id_after
    FROM grid
    LEFT JOIN traded USING (second_us)
    WINDOW
        before AS (PARTITION BY grid.hour_us ORDER BY grid.second_us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        after AS (PARTITION BY grid.hour_us ORDER BY grid.second_us ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
),
within AS (
    SELECT to_us AS second_us, sum(after_id - before_id - 1)::BIGINT AS ids FROM never WHERE from_us = to_us GROUP BY to_us
),
doubtful AS (
    SELECT held_second AS second_us FROM contradictions UNION SELECT other_second FROM contradictions
),
last_quotes AS (
    SELECT second_us, arg_max(last, (place, last)) AS quote FROM quotes GROUP BY second_us
)
SELECT
    placed.hour_us - placed.hour_us % 3600000000 AS hour_us,
    make_timestamptz(placed.second_us) AS window_start,
    coalesce(open, close_before)::VARCHAR::DOUBLE AS open,
    coalesce(high, close_before)::VARCHAR::DOUBLE AS high,
    coalesce(low, close_before)::VARCHAR::DOUBLE AS low,
    coalesce(close, close_before)::VARCHAR::DOUBLE AS close,
    coalesce(volume_base, 0)::VARCHAR::DOUBLE AS volume_base,
    coalesce(volume_quote, 0)::VARCHAR::DOUBLE AS volume_quote,
    coalesce(trade_count, 0) AS trade_count,
    replace(volume_quote::DECIMAL(38, 16)::VARCHAR, '.', '') AS quote_units,
    replace(volume_base::DECIMAL(38, 8)::VARCHAR, '.', '') AS base_units,
    quote.bid::VARCHAR::DOUBLE AS bid,
    quote.ask::VARCHAR::DOUBLE AS ask,
    (quote.ask - quote.bid)::VARCHAR::DOUBLE AS spread,
    coalesce(taker_buy_base, 0)::VARCHAR::DOUBLE AS taker_buy_base,
    coalesce(taker_buy_quote, 0)::VARCHAR::DOUBLE AS taker_buy_quote,
    first_trade_id, last_trade_id,
    placed.second_us NOT IN (SELECT second_us FROM doubtful) AND (trade_count IS NULL OR (
        trade_count + coalesce(within.ids, 0) = last_trade_id - first_trade_id + 1
        AND coalesce(starts.held_before, true) AND coalesce(stops.held_after, true)
    )) AS complete
FROM placed
LEFT JOIN ends AS starts ON starts.hour_us = placed.hour_us AND starts.first_id = placed.first_trade_id
LEFT JOIN ends AS stops ON stops.hour_us = placed.hour_us AND stops.last_id = placed.last_trade_id
LEFT JOIN within ON within.second_us = placed.second_us
LEFT JOIN last_quotes ON last_quotes.second_us = placed.second_us
WHERE trade_count IS NOT NULL OR (close_before IS NOT NULL AND (
    id_before + 1 = id_after
    OR (placed.hour_us, id_before, id_after) IN (SELECT (hour_us, before_id, after_id) FROM never)
))
ORDER BY placed.second_us
