-- A run of consecutive trade ids that an hour holds. Parameters: symbol, hour, first_id, last_id.
INSERT OR REPLACE INTO run VALUES (:symbol, :hour, :first_id, :last_id)
