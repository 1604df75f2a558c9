-- The trades of the hours to build whose ids are taken by an hour that stays as it is, because its raw parts are gone.
-- Grain: one trade, in the columns of contradictions. Inputs: once, taken.
SELECT
    once.last_id, 'trade time' AS differs, NULL AS held,
    {
        'first_id': once.first_id, 'last_id': once.last_id, 'ts_event': once.ts_event, 'ts_recv': once.ts_recv,
        'price': once.price::VARCHAR, 'qty': once.qty::VARCHAR, 'taker_buys': once.taker_buys
    } AS other
FROM once
WHERE ts_event - ts_event % 3600000000 IN (SELECT unnest($hours::BIGINT[]))
    AND EXISTS (
        SELECT 1 FROM taken
        WHERE taken.numbering = once.numbering AND once.last_id BETWEEN taken.first_id AND taken.last_id
    )
ORDER BY once.last_id
