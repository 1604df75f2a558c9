-- The share of complete minutes that agree with the exchange's klines. Grain: one UTC day of one symbol.
-- Input: reports/parity.parquet, as $file. The newest 400 days.
SELECT day, share, agree, compared, complete_minutes, hole_of_ours, counted_twice, late_trade, revision_upstream, klines_missing
FROM read_parquet($file)
WHERE symbol = $symbol
ORDER BY day DESC
LIMIT 400;
