-- Which hours each part of the batch touches: a trade by its trade time, a quote by when it was received.
-- Grain: one part, one hour. Input: lines.
SELECT filename, hour_us
FROM (
    SELECT DISTINCT
        filename,
        CASE WHEN is_trade THEN ts_event - ts_event % 3600000000 ELSE ts_recv - ts_recv % 3600000000 END AS hour_us
    FROM lines
    WHERE reason IS NULL
)
ORDER BY ALL
