-- An hour is dirty. Parameters: symbol, hour.
INSERT OR IGNORE INTO dirty VALUES (:symbol, :hour)
