-- bars_in(hour_files, day_files): the 1-second bars of some hour files and some compacted day files, named by globs or lists.
-- Grain: one symbol, one second.
-- Why the anti-join: while a day is compacted its rows are in both; and an hour that late trades made anew lies beside
-- its day until that day is compacted again. An hour file is always the newer one, so it wins over its hour of the day.
-- The hour files are listed once and before the days: listed twice, a file born or gone in between takes its hour along.
-- time_bucket, as date_trunc takes the client's zone, and hours of Kolkata begin at half past.
-- A file that goes away between listing and reading is an error, never a wrong answer: ask again.
-- Why the symbol comes from the path: a filter on it then leaves out files before they are opened. Rows of another symbol
-- than the folder's are left out (R0 counts them), so a copy of a folder under another name is no second count.
-- A glob may find no file; one of a list that is not there is an error, never an empty result.
CREATE OR REPLACE MACRO bar_schema() AS file_schema(
    'symbol VARCHAR, window_start TIMESTAMPTZ, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, '
    || 'volume_base DOUBLE, volume_quote DOUBLE, trade_count BIGINT, vwap DOUBLE, '
    || 'bid DOUBLE, ask DOUBLE, spread DOUBLE, taker_buy_base DOUBLE, taker_buy_quote DOUBLE, '
    || 'first_trade_id BIGINT, last_trade_id BIGINT, complete BOOLEAN'
);
CREATE OR REPLACE MACRO bars_in(hour_files, day_files) AS TABLE
WITH columns AS (
    SELECT
        NULL::VARCHAR AS symbol, NULL::TIMESTAMPTZ AS window_start, NULL::DOUBLE AS open, NULL::DOUBLE AS high,
        NULL::DOUBLE AS low, NULL::DOUBLE AS close, NULL::DOUBLE AS volume_base, NULL::DOUBLE AS volume_quote,
        NULL::BIGINT AS trade_count, NULL::DOUBLE AS vwap, NULL::DOUBLE AS bid, NULL::DOUBLE AS ask,
        NULL::DOUBLE AS spread, NULL::DOUBLE AS taker_buy_base, NULL::DOUBLE AS taker_buy_quote,
        NULL::BIGINT AS first_trade_id, NULL::BIGINT AS last_trade_id, NULL::BOOLEAN AS complete,
        NULL::VARCHAR AS path
    WHERE false
),
in_hours AS (
    SELECT * FROM columns
    UNION ALL BY NAME
    SELECT * FROM read_parquet(
        hour_files, allow_empty = (typeof(hour_files) = 'VARCHAR' OR len(hour_files) = 0), filename = 'path',
        hive_partitioning = false, schema = bar_schema()
    )
),
in_days AS (
    SELECT * FROM columns
    UNION ALL BY NAME
    SELECT * FROM read_parquet(
        day_files, allow_empty = (typeof(day_files) = 'VARCHAR' OR len(day_files) = 0), filename = 'path',
        hive_partitioning = false, schema = bar_schema()
    )
),
hour_rows AS MATERIALIZED (
    SELECT parse_path(path)[-5] AS symbol, * EXCLUDE (path, symbol)
    FROM in_hours
    WHERE (typeof(hour_files) <> 'VARCHAR' OR is_symbol(parse_path(path)[-5])) AND in_hours.symbol = parse_path(path)[-5]
),
day_rows AS (
    SELECT parse_path(path)[-2] AS symbol, * EXCLUDE (path, symbol)
    FROM in_days
    WHERE (typeof(day_files) <> 'VARCHAR' OR is_symbol(parse_path(path)[-2])) AND in_days.symbol = parse_path(path)[-2]
),
hours AS (SELECT DISTINCT symbol, time_bucket(INTERVAL 1 HOUR, window_start) AS hour FROM hour_rows),
bars AS (
    SELECT * FROM hour_rows
    UNION ALL BY NAME
    SELECT day_rows.* FROM day_rows
    ANTI JOIN hours ON hours.symbol = day_rows.symbol AND hours.hour = time_bucket(INTERVAL 1 HOUR, day_rows.window_start)
)
SELECT
    'binance' AS exchange, symbol, window_start, open, high, low, close, volume_base, volume_quote, trade_count, vwap,
    bid, ask, spread, taker_buy_base, taker_buy_quote, first_trade_id, last_trade_id, complete
FROM bars;
