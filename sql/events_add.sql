-- The good lines as events: each trade as it came, and of each second the last quote received.
-- A side of the book that is empty comes as 0 and is null here.
INSERT INTO trades
SELECT ts_event, ts_recv, first_id, last_id, left_value, right_value, taker_buys
FROM lines
WHERE is_trade AND reason IS NULL;
INSERT INTO quotes
SELECT
    ts_recv - ts_recv % 1000000,
    arg_max(
        {'bid': nullif(left_value, 0), 'ask': nullif(right_value, 0)},
        (ts_recv, coalesce(update_id, -1), left_value, right_value)
    ),
    max({'ts_recv': ts_recv, 'update_id': coalesce(update_id, -1)})
FROM lines
WHERE NOT is_trade AND reason IS NULL
GROUP BY ALL
