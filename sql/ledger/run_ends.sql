-- The hours (or parts of one) in a range (both ends included) with a run of ids that no run of the numbering goes on with.
-- Grain: one hour. Parameters: symbol, first, last, start, end (of the numbering).
SELECT DISTINCT hour FROM run AS here
WHERE symbol = :symbol AND hour BETWEEN max(:first, :start) AND :last AND hour < :end AND NOT EXISTS (
    SELECT 1 FROM run AS next
    WHERE next.symbol = here.symbol AND next.first_id = here.last_id + 1 AND next.hour >= :start AND next.hour < :end
)
ORDER BY hour
