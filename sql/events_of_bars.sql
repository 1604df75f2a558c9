-- Each second's first and last trade id as a line of an aggregate, out of its bar: enough for sql/trace.sql where raw lines
-- are gone. Input: bars_1s.
INSERT INTO trades
SELECT epoch_us(window_start), epoch_us(window_start), first_trade_id, last_trade_id, 1, 1, true
FROM bars_1s
WHERE trade_count > 0
