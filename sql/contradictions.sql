-- contradictions: the lines that contradict the trade which holds under their id. Grain: one content of an id. Input:
-- contents. Trade times within a millisecond of each other are the same: one source has milliseconds, another
-- microseconds. An aggregate and a trade that it contains are not compared.
CREATE OR REPLACE TEMP TABLE contradictions AS
SELECT
    other.last_id AS trade_id,
    concat_ws(
        ', ',
        CASE WHEN abs(other.ts_event - held.ts_event) >= 1000 THEN 'trade time' END,
        CASE WHEN other.price <> held.price THEN 'price' END,
        CASE WHEN other.qty <> held.qty THEN 'quantity' END,
        CASE WHEN other.taker_buys <> held.taker_buys THEN 'side' END
    ) AS differs,
    held.ts_event - held.ts_event % 1000000 AS held_second, other.ts_event - other.ts_event % 1000000 AS other_second,
    {
        'ts_event': held.ts_event, 'ts_recv': held.ts_recv, 'price': held.price::VARCHAR, 'qty': held.qty::VARCHAR,
        'side': CASE WHEN held.taker_buys THEN 'buy' ELSE 'sell' END
    } AS held,
    {
        'ts_event': other.ts_event, 'ts_recv': other.ts_recv, 'price': other.price::VARCHAR, 'qty': other.qty::VARCHAR,
        'side': CASE WHEN other.taker_buys THEN 'buy' ELSE 'sell' END
    } AS other
FROM (FROM contents WHERE place > 1) AS other
JOIN (FROM contents WHERE place = 1) AS held USING (numbering, first_id, last_id)
WHERE differs <> ''
