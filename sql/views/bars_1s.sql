-- bars_1s: the lake's 1-second bars, compacted or not. Grain: one symbol, one second.
-- Inputs: the hour files and the compacted day files under parquet/binance.
CREATE OR REPLACE VIEW bars_1s AS
SELECT *
FROM bars_in(
    '@@BASE@@/parquet/binance/*/year=*/month=*/day=*/bars_1s_??.parquet', '@@BASE@@/parquet/binance/*/????-??-??.parquet'
);
