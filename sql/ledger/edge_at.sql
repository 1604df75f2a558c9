-- The edge of one hour, where it has trades. Parameters: symbol, hour.
SELECT hour, first_id, last_id, last_price, first_second, last_second FROM edge
WHERE symbol = :symbol AND hour = :hour
