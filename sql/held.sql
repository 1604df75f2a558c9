-- held: the trades that count for the bars. Grain: one trade or aggregate. Input: contents.
CREATE OR REPLACE TEMP VIEW held AS
SELECT hour_us, ts_event - ts_event % 1000000 AS second_us, first_id, last_id, price, qty, taker_buys
FROM contents
WHERE place = 1 AND coalesce(cover < last_id, true)
