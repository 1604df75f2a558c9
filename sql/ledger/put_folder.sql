-- A raw day folder has been listed and all its parts read. Parameters: symbol, day, mtime_ns.
INSERT OR REPLACE INTO folder VALUES (:symbol, :day, :mtime_ns)
