-- bars_1m: 1-minute bars rolled up from bars_1s. Grain: one symbol, one minute that has at least one second. A complete one equals the exchange's own 1m kline.
CREATE OR REPLACE VIEW bars_1m AS SELECT * FROM rolled_up('bars_1s', 60, '@@BASE@@/ledger/gaps/[!.]*.parquet');
