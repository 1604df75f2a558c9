-- Funding and open interest of perpetuals. Grain: one symbol, one bucket of $seconds (an hour or more) that has a row.
-- Input: their $funding_files and $interest_files; of each bucket the last values.
SELECT
    symbol, time_bucket(to_seconds($seconds), window_start) AS window_start,
    arg_max(funding_rate, window_start) AS funding_rate, arg_max(mark_price, window_start) AS mark_price,
    arg_max(open_interest, window_start) AS open_interest, arg_max(open_interest_value, window_start) AS open_interest_value
FROM funding_oi_in($funding_files, $interest_files)
WHERE list_contains($symbols, symbol) AND window_start >= $start AND window_start < $end
GROUP BY ALL
ORDER BY window_start;
