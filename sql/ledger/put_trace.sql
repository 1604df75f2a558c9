-- A second with trades, and the ids of its raw lines. Parameters: symbol, second, low, high.
INSERT INTO trace VALUES (:symbol, :second, :low, :high, 0)
ON CONFLICT DO UPDATE SET low = min(low, excluded.low), high = max(high, excluded.high)
