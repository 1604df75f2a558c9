-- The hours in a range (both ends included) with a run of ids that no run goes on with. Grain: one hour.
-- Parameters: symbol, first, last.
SELECT DISTINCT hour FROM run AS here
WHERE symbol = :symbol AND hour BETWEEN :first AND :last AND NOT EXISTS (
    SELECT 1 FROM run AS next WHERE next.symbol = here.symbol AND next.first_id = here.last_id + 1
)
ORDER BY hour
