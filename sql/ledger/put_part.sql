-- A part has been read. Parameters: symbol, day, name, size, mtime_ns. Returns its id.
INSERT INTO part (symbol, day, name, size, mtime_ns) VALUES (:symbol, :day, :name, :size, :mtime_ns)
ON CONFLICT (symbol, day, name) DO UPDATE SET size = excluded.size, mtime_ns = excluded.mtime_ns, gone = 0
RETURNING id
