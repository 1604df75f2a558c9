-- coverage: what is held of each hour, from a symbol's first bar to its last. Grain: one symbol, one hour, with bars or
-- without. Inputs: bars_1s, ledger/gaps. seconds_expected = seconds_held (with trades) + seconds_flat (nothing traded, as the
-- ids say) + seconds_missing; trades_missing: trade ids that no bar has, in the hour of the bar after the hole, without those
-- settled as never existed.
CREATE OR REPLACE VIEW coverage AS
SELECT *
FROM coverage_of(
    'bars_1s', 3600, []::VARCHAR[], NULL::TIMESTAMPTZ, NULL::TIMESTAMPTZ, '@@BASE@@/ledger/gaps/[!.]*.parquet'
);
