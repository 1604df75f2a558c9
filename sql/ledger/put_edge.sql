-- The first and last trade of an hour. Parameters: symbol, hour, first_id, last_id, last_price, first_second, last_second.
INSERT OR REPLACE INTO edge VALUES (:symbol, :hour, :first_id, :last_id, :last_price, :first_second, :last_second)
