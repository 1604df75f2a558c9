-- bars_1s: the lake's 1-second bars, compacted or not. Grain: one symbol, one second.
-- Inputs: the hour files and the compacted day files under parquet/binance.
CREATE OR REPLACE VIEW bars_1s AS
SELECT *
FROM bars_in(
    '@@BASE@@/parquet/binance/*/year=[0-9][0-9][0-9][0-9]/month=[0-9][0-9]/day=[0-9][0-9]/bars_1s_[0-2][0-9].parquet',
    '@@BASE@@/parquet/binance/*/[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].parquet'
);
