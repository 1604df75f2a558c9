-- klines_1m: the exchange's own 1-minute klines. Grain: one symbol, one minute (`window_start` is the open time; of a
-- kline off the grid the minute in which it opens, and `exchange_open_time` when it does).
-- Input: backfill/binance/SYMBOL/year=/month=/day=/klines_1m.parquet.
CREATE OR REPLACE VIEW klines_1m AS
SELECT *
FROM klines_in(
    '@@BASE@@/backfill/binance/*/year=[0-9][0-9][0-9][0-9]/month=[0-9][0-9]/day=[0-9][0-9]/klines_1m.parquet'
);
