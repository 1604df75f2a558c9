-- The lines that contradict the trade that holds under their id. Grain: one content of an id. Inputs: once, trades.
-- Trade times within a millisecond of each other are the same: one source writes milliseconds, another microseconds. A
-- trade that an aggregate contains has the aggregate's price and side, its time within a second, and at most its quantity.
WITH doubtful AS (
    SELECT numbering, last_id, CASE WHEN cover >= last_id THEN cover ELSE last_id END AS holder
    FROM once
    WHERE copies > 1 OR cover >= last_id
),
contents AS (
    SELECT
        first_id, last_id, ts_event, price, qty, taker_buys, min(ts_recv) AS ts_recv,
        coalesce(list_max(list_filter($starts::BIGINT[], lambda start: start <= ts_event)), 0) AS numbering
    FROM trades
    WHERE ts_event - ts_event % 3600000000 IN (SELECT unnest($hours::BIGINT[]))
        AND last_id IN (SELECT last_id FROM doubtful)
    GROUP BY ALL
),
pairs AS (
    SELECT other, once, other.first_id <> once.first_id OR other.last_id <> once.last_id AS is_part
    FROM contents AS other
    JOIN doubtful ON doubtful.numbering = other.numbering AND doubtful.last_id = other.last_id
    JOIN once ON once.numbering = other.numbering AND once.last_id = doubtful.holder
)
SELECT
    other.last_id,
    concat_ws(
        ', ',
        CASE WHEN abs(other.ts_event - once.ts_event) >= CASE WHEN is_part THEN 1000000 ELSE 1000 END THEN 'trade time' END,
        CASE WHEN other.price <> once.price THEN 'price' END,
        CASE WHEN CASE WHEN is_part THEN other.qty > once.qty ELSE other.qty <> once.qty END THEN 'quantity' END,
        CASE WHEN other.taker_buys <> once.taker_buys THEN 'side' END
    ) AS differs,
    {
        'first_id': once.first_id, 'last_id': once.last_id, 'ts_event': once.ts_event, 'ts_recv': once.ts_recv,
        'price': once.price::VARCHAR, 'qty': once.qty::VARCHAR, 'taker_buys': once.taker_buys
    } AS held,
    {
        'first_id': other.first_id, 'last_id': other.last_id, 'ts_event': other.ts_event, 'ts_recv': other.ts_recv,
        'price': other.price::VARCHAR, 'qty': other.qty::VARCHAR, 'taker_buys': other.taker_buys
    } AS other
FROM pairs
WHERE differs <> ''
ORDER BY other.last_id, other.ts_event, other.ts_recv, other.price, other.qty, other.taker_buys
