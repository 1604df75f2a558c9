-- held: the trades that count for the bars of the hours to build. Grain: one trade or aggregate. Input: once.
-- A trade that an aggregate contains is left to the aggregate. hour_us is the beginning of the hour, or of the part of it
-- that lies in one numbering.
CREATE OR REPLACE TEMP VIEW held AS
SELECT
    greatest(ts_event - ts_event % 3600000000, numbering) AS hour_us, ts_event - ts_event % 1000000 AS second_us,
    first_id, last_id, price, qty, taker_buys
FROM once
WHERE coalesce(cover < last_id, true)
