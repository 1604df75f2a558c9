-- A part has events of an hour. Parameters: symbol, hour, part.
INSERT OR IGNORE INTO part_hour VALUES (:symbol, :hour, :part)
