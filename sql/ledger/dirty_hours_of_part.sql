-- The hours of a part, as known so far, become dirty. Parameters: symbol, part.
INSERT OR IGNORE INTO dirty SELECT symbol, hour FROM part_hour WHERE part = :part
