-- The first and the last trade of each hour, as its neighbours need them. Grain: one hour that has trades, or the
-- part of it in one numbering. Input: held.
-- By second, then by id: the first trade of the first second, and the last of the last second with its price.
SELECT
    hour_us,
    arg_min(first_id, (second_us, first_id)) AS first_id,
    arg_max(last_id, (second_us, last_id)) AS last_id,
    arg_max(price, (second_us, last_id))::VARCHAR AS last_price
FROM held
GROUP BY hour_us
ORDER BY hour_us
