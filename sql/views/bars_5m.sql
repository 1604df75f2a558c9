-- bars_5m: 5-minute bars rolled up from bars_1s. Grain: one symbol, one five minutes that has at least one second.
CREATE OR REPLACE VIEW bars_5m AS SELECT * FROM rolled_up('bars_1s', 300, '@@BASE@@/ledger/gaps/[!.]*.parquet');
