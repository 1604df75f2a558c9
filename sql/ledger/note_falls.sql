-- Find which of an hour's seconds with trades, and the first after them, do not ascend. Parameters: symbol, hour.
UPDATE trace SET falls = high <= coalesce((
    SELECT high FROM trace AS before
    WHERE before.symbol = trace.symbol AND before.second < trace.second ORDER BY before.second DESC LIMIT 1
), -1)
WHERE symbol = :symbol AND second >= :hour AND second <= coalesce((
    SELECT min(second) FROM trace AS later WHERE later.symbol = :symbol AND later.second >= :hour + 3600000000
), :hour + 3600000000)
