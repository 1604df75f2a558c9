-- coverage: what is held of each hour, from a symbol's first bar to its last. Grain: one symbol, one hour, with bars or
-- without. Inputs: bars_1s, and where trade ids start again. seconds_expected = seconds_held (with trades) + seconds_flat
-- (nothing traded, as the ids say) + seconds_missing; trades_missing: trade ids that no bar has, in the hour of the bar
-- after the hole; new_numberings: how often trade ids start again, which is no hole.
CREATE OR REPLACE VIEW coverage AS
WITH numberings AS (SELECT * FROM numberings_in('@@BASE@@/ledger/numberings/*.parquet'))
SELECT * FROM coverage_of('bars_1s', 'numberings', 3600, []::VARCHAR[], NULL::TIMESTAMPTZ, NULL::TIMESTAMPTZ);
