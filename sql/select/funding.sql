-- Hours of funding and open interest of some perpetuals with $start <= window_start < $end, in the order of $symbols, then
-- by time. Among the files is the year before $start where a funding of it may be in force.
SELECT *
FROM funding_oi_in($funding_files, $interest_files)
WHERE list_contains($symbols, symbol) AND window_start >= $start AND window_start < $end
ORDER BY list_position($symbols, symbol), window_start;
