-- bars_1s: the lake's 1-second bars, compacted or not.
-- Grain: one symbol, one second. Inputs: the hour files and the compacted day files under parquet/binance.
-- Why the anti-join: while a day is compacted its rows are in both; and an hour that late trades made anew lies beside
-- its day until that day is compacted again. An hour file is always the newer one, so it wins over its hour of the day.
CREATE OR REPLACE VIEW bars_1s AS
WITH hours AS (
    SELECT DISTINCT
        parse_path(file)[-5] AS symbol,
        make_timestamptz(
            regexp_extract(file, 'year=(\d{4})', 1)::BIGINT, regexp_extract(file, 'month=(\d{2})', 1)::BIGINT,
            regexp_extract(file, 'day=(\d{2})', 1)::BIGINT, regexp_extract(file, 'bars_1s_(\d{2})', 1)::BIGINT, 0, 0, 'UTC'
        ) AS hour
    FROM glob('@@BASE@@/parquet/binance/*/year=*/month=*/day=*/bars_1s_*.parquet')
),
columns AS (
    SELECT
        NULL::VARCHAR AS symbol, NULL::TIMESTAMPTZ AS window_start, NULL::DOUBLE AS open, NULL::DOUBLE AS high,
        NULL::DOUBLE AS low, NULL::DOUBLE AS close, NULL::DOUBLE AS volume_base, NULL::DOUBLE AS volume_quote,
        NULL::BIGINT AS trade_count, NULL::DOUBLE AS vwap, NULL::DOUBLE AS bid, NULL::DOUBLE AS ask,
        NULL::DOUBLE AS spread, NULL::DOUBLE AS taker_buy_base, NULL::DOUBLE AS taker_buy_quote,
        NULL::BIGINT AS first_trade_id, NULL::BIGINT AS last_trade_id, NULL::BOOLEAN AS complete
    WHERE false
),
bars AS (
    SELECT * FROM columns
    UNION ALL BY NAME
    SELECT * FROM read_parquet(
        '@@BASE@@/parquet/binance/*/year=*/month=*/day=*/bars_1s_*.parquet', allow_empty = true, hive_partitioning = false
    )
    UNION ALL BY NAME
    SELECT day.* FROM (
        SELECT * FROM columns
        UNION ALL BY NAME
        SELECT * FROM read_parquet(
            '@@BASE@@/parquet/binance/*/????-??-??.parquet', allow_empty = true, hive_partitioning = false
        )
    ) AS day
    ANTI JOIN hours ON hours.symbol = day.symbol AND hours.hour = date_trunc('hour', day.window_start)
)
SELECT
    'binance' AS exchange, symbol, window_start, open, high, low, close, volume_base, volume_quote, trade_count, vwap,
    bid, ask, spread, taker_buy_base, taker_buy_quote, first_trade_id, last_trade_id, complete
FROM bars;
