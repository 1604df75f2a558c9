-- coverage_of(seconds, width, symbols, from_time, to_time, gap_files): what is held, in stretches of `width` seconds, of the
-- 1-second bars in the table, view or CTE named `seconds`. Grain: one symbol, one stretch of the UTC day, with bars or without.
-- Stretches run from from_time to to_time, of each of the `symbols` even without a bar; without symbols and times, from
-- a symbol's first bar to its last. seconds_expected: seconds of the stretch that lie in that range; seconds_held: those
-- with trades; seconds_flat: those in which, as the exchange's ids say, nothing traded; seconds_missing: the rest;
-- seconds_complete: those proved complete. trades_missing: trade ids between those held, within one numbering, that no bar
-- has, in the stretch of the bar after the hole; none are known of before the first trade and after the last of a numbering.
-- A hole that from_time lies in or follows is seen when bars from before it are among the seconds. Trade times go back now
-- and then, so that an id stands a stretch or more after a higher one: of what seems to be missing up to a stretch, the
-- least that any later one leaves is missing indeed.
-- gap_files (ledger/gaps, named by a glob or a list) name the ids that never existed: these are not missing. They also name
-- the seconds with which trade ids start again: a new numbering begins.
-- Why each stretch brings along the empty ones after it: a join with a calendar keeps a filter on symbol from the files.
CREATE OR REPLACE MACRO coverage_of(seconds, width, symbols, from_time, to_time, gap_files := []::VARCHAR[]) AS TABLE
WITH never AS (
    SELECT
        symbol, gaps.to_time AS window_start,  -- to_time alone is the macro's parameter
        sum(last_missing_id - first_missing_id + 1)::BIGINT AS never_existed
    FROM gaps_in(gap_files) AS gaps
    WHERE state = 'never existed'
    GROUP BY ALL
),
rows AS (
    SELECT
        symbol, window_start, trade_count, complete, first_trade_id, last_trade_id, never_existed,
        CASE WHEN starts IS NOT NULL
            THEN coalesce(len(list_filter(starts[symbol], lambda start: start <= window_start)), 0) ELSE 0
        END AS numbering
    FROM query_table(seconds)
    LEFT JOIN never USING (symbol, window_start), starts_in(gap_files)
    UNION ALL
    SELECT unnest(symbols::VARCHAR[]), from_time, NULL, NULL, NULL, NULL, NULL, NULL
),
counted AS (
    SELECT
        symbol, time_bucket(to_seconds(width), window_start) AS stretch,
        window_start >= coalesce(from_time, '-infinity'::TIMESTAMPTZ) AS inside, numbering,
        count(*) FILTER (trade_count > 0) AS held, count(*) FILTER (trade_count = 0) AS flat,
        count(*) FILTER (complete) AS proved,
        sum(trade_count) + coalesce(sum(never_existed), 0) AS trades,
        min(first_trade_id) AS lowest, max(last_trade_id) AS highest,
        min(window_start) AS first_second, max(window_start) AS last_second
    FROM rows
    GROUP BY ALL
),
neighbours AS (
    SELECT
        *,
        lead(lowest IGNORE NULLS) OVER (PARTITION BY symbol, numbering ORDER BY stretch, inside) AS lowest_after
    FROM counted
),
based AS (
    SELECT
        *,
        coalesce(
            max(highest) OVER (
                PARTITION BY symbol, numbering ORDER BY stretch, inside ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            least(lowest, CASE WHEN lowest_after >= lowest - 1000 THEN lowest_after END) - 1
        ) AS base,
        greatest(highest, base) - base - trades AS net
    FROM neighbours
),
summed AS (
    SELECT *, coalesce(sum(net) OVER (PARTITION BY symbol, numbering ORDER BY stretch, inside), 0) AS so_far FROM based
),
known AS (
    SELECT
        *,
        min(so_far) OVER (
            PARTITION BY symbol, numbering ORDER BY stretch, inside ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS never_found
    FROM summed
),
linked AS (
    SELECT
        *,
        never_found - coalesce(
            lag(never_found) OVER (PARTITION BY symbol, numbering ORDER BY stretch, inside), least(never_found, 0)
        ) AS skipped
    FROM known
),
joined AS (
    SELECT
        symbol, stretch AS counted_stretch, sum(held) AS held, sum(flat) AS flat, sum(proved) AS proved,
        sum(skipped) AS skipped, min(first_second) AS first_second, max(last_second) AS last_second
    FROM linked
    WHERE inside
    GROUP BY ALL
),
ranged AS (
    SELECT
        *,
        lead(counted_stretch) OVER (PARTITION BY symbol ORDER BY counted_stretch) AS next_stretch,
        coalesce(from_time, min(first_second) OVER (PARTITION BY symbol)) AS range_start,
        coalesce(to_time, max(last_second) OVER (PARTITION BY symbol) + INTERVAL 1 SECOND) AS range_end
    FROM joined
),
stretches AS (
    SELECT *, unnest(range(counted_stretch, coalesce(next_stretch, range_end), to_seconds(width))) AS stretch FROM ranged
)
SELECT
    'binance' AS exchange, symbol, stretch AS window_start,
    date_diff('second', greatest(stretch, range_start), least(stretch + to_seconds(width), range_end)) AS seconds_expected,
    CASE WHEN stretch = counted_stretch THEN held ELSE 0 END::BIGINT AS seconds_held,
    CASE WHEN stretch = counted_stretch THEN flat ELSE 0 END::BIGINT AS seconds_flat,
    seconds_expected - seconds_held - seconds_flat AS seconds_missing,
    CASE WHEN stretch = counted_stretch THEN proved ELSE 0 END::BIGINT AS seconds_complete,
    CASE WHEN stretch = counted_stretch THEN skipped ELSE 0 END::BIGINT AS trades_missing
FROM stretches;
