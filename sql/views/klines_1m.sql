-- klines_1m: the exchange's own 1-minute klines. Grain: one symbol, one minute (`window_start` is the open time).
-- Inputs: backfill/binance/SYMBOL/year=/month=/day=/klines_1m*.parquet; no other interval's file has such a name.
CREATE OR REPLACE VIEW klines_1m AS
SELECT * FROM klines_in('@@BASE@@/backfill/binance/*/year=*/month=*/day=*/klines_1m*.parquet');
