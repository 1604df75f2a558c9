-- A second with trades: the lowest and the highest id that its raw lines name. Parameters: symbol, second, low, high.
INSERT INTO trace VALUES (:symbol, :second, :low, :high)
ON CONFLICT DO UPDATE SET low = min(low, excluded.low), high = max(high, excluded.high)
