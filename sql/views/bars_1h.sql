-- bars_1h: 1-hour bars rolled up from bars_1s. Grain: one symbol, one hour that has at least one second.
CREATE OR REPLACE VIEW bars_1h AS SELECT * FROM rolled_up('bars_1s', 3600, '@@BASE@@/ledger/gaps/[!.]*.parquet');
