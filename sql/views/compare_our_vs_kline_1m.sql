-- compare_our_vs_kline_1m: our minutes beside the exchange's own. Grain: one symbol, one minute that both have.
-- Inputs: bars_1m, klines_1m. diff_… is ours less theirs. A `complete` minute has the same prices and count, and volumes
-- within 1e-9 relative (ours are rounded once from the exact sum); of one that is not, the difference is what is missing.
-- A kline that opens off the grid covers another minute in part and is left out: klines_1m has it, exchange_open_time too.
CREATE OR REPLACE VIEW compare_our_vs_kline_1m AS
SELECT
    symbol, window_start, complete,
    ours.open AS our_open, kline.open AS kline_open, ours.open - kline.open AS diff_open,
    ours.high AS our_high, kline.high AS kline_high, ours.high - kline.high AS diff_high,
    ours.low AS our_low, kline.low AS kline_low, ours.low - kline.low AS diff_low,
    ours.close AS our_close, kline.close AS kline_close, ours.close - kline.close AS diff_close,
    ours.volume_base AS our_volume, kline.volume AS kline_volume, ours.volume_base - kline.volume AS diff_volume,
    ours.volume_quote AS our_quote_volume, kline.quote_volume AS kline_quote_volume,
    ours.volume_quote - kline.quote_volume AS diff_quote_volume,
    ours.trade_count AS our_trades, kline.trades AS kline_trades, ours.trade_count - kline.trades AS diff_trades
FROM bars_1m AS ours
INNER JOIN klines_1m AS kline USING (symbol, window_start)
WHERE kline.exchange_open_time IS NULL;
