-- coverage_of(seconds, width, symbols, from_time, to_time): what is held, in stretches of `width` seconds, of the 1-second
-- bars in the table, view or CTE named `seconds`. Grain: one symbol, one stretch of the UTC day, with bars or without.
-- Stretches run from from_time to to_time, of each of the `symbols` even without a bar; without symbols and times, from
-- a symbol's first bar to its last. seconds_expected: seconds of the stretch that lie in that range; seconds_held: those
-- with trades; seconds_flat: those in which, as the exchange's ids say, nothing traded; seconds_missing: the rest;
-- seconds_complete: those proved complete. trades_missing: trade ids between those held that no bar has, in the stretch of
-- the bar after the hole; none are known of before the first trade and after the last. A hole that from_time lies in or
-- follows is seen when bars from before it are among the seconds. In a stretch in which ids begin anew, below those before,
-- no hole is known of: so first and last are those in time, and never less than none is missing.
-- Why each stretch brings along the empty ones after it: a join with a calendar keeps a filter on symbol from the files.
CREATE OR REPLACE MACRO coverage_of(seconds, width, symbols, from_time, to_time) AS TABLE
WITH rows AS (
    SELECT symbol, window_start, trade_count, complete, first_trade_id, last_trade_id FROM query_table(seconds)
    UNION ALL
    SELECT unnest(symbols::VARCHAR[]), from_time, NULL, NULL, NULL, NULL
),
counted AS (
    SELECT
        symbol, time_bucket(to_seconds(width), window_start) AS stretch,
        window_start >= coalesce(from_time, '-infinity'::TIMESTAMPTZ) AS inside,
        count(*) FILTER (trade_count > 0) AS held, count(*) FILTER (trade_count = 0) AS flat,
        count(*) FILTER (complete) AS proved,
        sum(trade_count) AS trades, arg_min(first_trade_id, window_start) AS first_id,
        arg_max(last_trade_id, window_start) AS last_id,
        min(window_start) AS first_second, max(window_start) AS last_second
    FROM rows
    GROUP BY ALL
),
linked AS (
    SELECT
        *,
        greatest(last_id - trades - coalesce(lag(last_id IGNORE NULLS) OVER in_order, first_id - 1), 0) AS skipped,
        lead(stretch) OVER in_order AS next_stretch,
        coalesce(from_time, min(first_second) OVER (PARTITION BY symbol)) AS range_start,
        coalesce(to_time, max(last_second) OVER (PARTITION BY symbol) + INTERVAL 1 SECOND) AS range_end
    FROM counted
    WINDOW in_order AS (PARTITION BY symbol ORDER BY stretch, inside)
),
stretches AS (
    SELECT
        * EXCLUDE stretch, stretch AS counted_stretch,
        unnest(range(stretch, coalesce(next_stretch, range_end), to_seconds(width))) AS stretch
    FROM linked
    WHERE inside
)
SELECT
    'binance' AS exchange, symbol, stretch AS window_start,
    date_diff('second', greatest(stretch, range_start), least(stretch + to_seconds(width), range_end)) AS seconds_expected,
    CASE WHEN stretch = counted_stretch THEN held ELSE 0 END AS seconds_held,
    CASE WHEN stretch = counted_stretch THEN flat ELSE 0 END AS seconds_flat,
    seconds_expected - seconds_held - seconds_flat AS seconds_missing,
    CASE WHEN stretch = counted_stretch THEN proved ELSE 0 END AS seconds_complete,
    CASE WHEN stretch = counted_stretch THEN coalesce(skipped, 0) ELSE 0 END::BIGINT AS trades_missing
FROM stretches;
