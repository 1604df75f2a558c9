-- coverage_of(seconds, numberings, width, symbols, from_time, to_time): what is held, in stretches of `width` seconds, of
-- the 1-second bars in the table, view or CTE named `seconds`. Grain: one symbol, one stretch of the UTC day, with bars or
-- without. The one named `numberings` has the seconds with which trade ids start again (symbol, window_start).
-- Stretches run from from_time to to_time, of each of the `symbols` even without a bar; without symbols and times, from
-- a symbol's first bar to its last. seconds_expected: seconds of the stretch that lie in that range; seconds_held: those
-- with trades; seconds_flat: those in which, as the exchange's ids say, nothing traded; seconds_missing: the rest;
-- seconds_complete: those proved complete. new_numberings: how often ids start again in the stretch. trades_missing: trade
-- ids between those held, within one numbering, that no bar has, in the stretch of the bar after the hole; none are known
-- of before the first trade and after the last of a numbering. A hole that from_time lies in or follows is seen when bars
-- from before it are among the seconds. Trade times go back now and then, so that an id stands a stretch or more after a
-- higher one: of what seems to be missing up to a stretch, the least that any later one leaves is missing indeed.
-- Why each stretch brings along the empty ones after it: a join with a calendar keeps a filter on symbol from the files.
-- Why stretches in which ids start again are counted in a second pass: to look at each second's numbering takes the whole
-- half as long again; a second pass that finds nothing to do takes nothing.
CREATE OR REPLACE MACRO coverage_of(seconds, numberings, width, symbols, from_time, to_time) AS TABLE
WITH split AS (
    SELECT symbol, time_bucket(to_seconds(width), window_start) AS stretch, list(window_start) AS starts
    FROM query_table(numberings)
    GROUP BY ALL
),
whole AS (
    SELECT
        symbol, time_bucket(to_seconds(width), window_start) AS stretch,
        window_start >= coalesce(from_time, '-infinity'::TIMESTAMPTZ) AS inside, 0 AS part,
        count(*) FILTER (trade_count > 0) AS held, count(*) FILTER (trade_count = 0) AS flat,
        count(*) FILTER (complete) AS proved,
        sum(trade_count) AS trades, min(first_trade_id) AS lowest, max(last_trade_id) AS highest,
        min(window_start) AS first_second, max(window_start) AS last_second
    FROM query_table(seconds)
    GROUP BY ALL
),
parts AS (
    SELECT
        symbol, split.stretch, window_start >= coalesce(from_time, '-infinity'::TIMESTAMPTZ) AS inside,
        len(list_filter(starts, lambda start: start <= window_start)) AS part,
        count(*) FILTER (trade_count > 0) AS held, count(*) FILTER (trade_count = 0) AS flat,
        count(*) FILTER (complete) AS proved,
        sum(trade_count) AS trades, min(first_trade_id) AS lowest, max(last_trade_id) AS highest,
        min(window_start) AS first_second, max(window_start) AS last_second
    FROM query_table(seconds) AS seconds
    JOIN split USING (symbol)
    WHERE time_bucket(to_seconds(width), window_start) = split.stretch
    GROUP BY ALL
),
counted AS (
    SELECT * FROM whole ANTI JOIN split USING (symbol, stretch)
    UNION ALL BY NAME
    SELECT * FROM parts
    UNION ALL BY NAME
    SELECT
        unnest(symbols::VARCHAR[]) AS symbol, time_bucket(to_seconds(width), from_time) AS stretch, true AS inside,
        NULL AS part, 0 AS held, 0 AS flat, 0 AS proved
),
parted AS (
    SELECT
        *, part > CASE WHEN lag(stretch) OVER in_order = stretch THEN lag(part) OVER in_order ELSE 0 END AS begins
    FROM counted
    WINDOW in_order AS (PARTITION BY symbol ORDER BY stretch, inside, part)
),
numbered AS (
    SELECT *, count(*) FILTER (begins) OVER (PARTITION BY symbol ORDER BY stretch, inside, part) AS numbering FROM parted
),
neighbours AS (
    SELECT
        *, lead(lowest IGNORE NULLS) OVER (PARTITION BY symbol, numbering ORDER BY stretch, inside) AS lowest_after
    FROM numbered
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
        sum(skipped) AS skipped, count(*) FILTER (begins) AS begun, min(first_second) AS first_second, max(last_second) AS last_second
    FROM linked
    WHERE inside
    GROUP BY ALL
),
ranged AS (
    SELECT
        *,
        coalesce(from_time, min(first_second) OVER (PARTITION BY symbol)) AS range_start,
        coalesce(to_time, max(last_second) OVER (PARTITION BY symbol) + INTERVAL 1 SECOND) AS range_end,
        lead(counted_stretch) OVER (PARTITION BY symbol ORDER BY counted_stretch) AS next_stretch
    FROM joined
),
stretches AS (
    SELECT
        *, unnest(range(counted_stretch, coalesce(next_stretch, range_end), to_seconds(width))) AS stretch
    FROM ranged
)
SELECT
    'binance' AS exchange, symbol, stretch AS window_start,
    date_diff('second', greatest(stretch, range_start), least(stretch + to_seconds(width), range_end)) AS seconds_expected,
    CASE WHEN stretch = counted_stretch THEN held ELSE 0 END::BIGINT AS seconds_held,
    CASE WHEN stretch = counted_stretch THEN flat ELSE 0 END::BIGINT AS seconds_flat,
    seconds_expected - seconds_held - seconds_flat AS seconds_missing,
    CASE WHEN stretch = counted_stretch THEN proved ELSE 0 END::BIGINT AS seconds_complete,
    CASE WHEN stretch = counted_stretch THEN skipped ELSE 0 END::BIGINT AS trades_missing,
    CASE WHEN stretch = counted_stretch THEN begun ELSE 0 END AS new_numberings
FROM stretches;
