-- bars_1d: 1-day bars rolled up from bars_1s. Grain: one symbol, one UTC day that has at least one second.
CREATE OR REPLACE VIEW bars_1d AS SELECT * FROM rolled_up('bars_1s', 86400, '@@BASE@@/ledger/gaps/[!.]*.parquet');
