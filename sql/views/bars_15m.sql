-- bars_15m: 15-minute bars rolled up from bars_1s. Grain: one symbol, one quarter of an hour that has at least one second.
CREATE OR REPLACE VIEW bars_15m AS SELECT * FROM rolled_up('bars_1s', 900, '@@BASE@@/ledger/gaps/[!.]*.parquet');
