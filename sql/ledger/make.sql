-- The ledger (SQLite): what is known about raw parts and trade ids. It can be made anew from raw/ at any time.
-- Hours are microseconds since 1970 UTC.
CREATE TABLE IF NOT EXISTS folder (      -- a raw day folder as it was last listed whole
    symbol TEXT, day TEXT, mtime_ns INTEGER, PRIMARY KEY (symbol, day)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS part (        -- a raw part that has been read; gone: it is no longer in its folder
    id INTEGER PRIMARY KEY, symbol TEXT NOT NULL, day TEXT NOT NULL, name TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0, UNIQUE (symbol, day, name)
);
CREATE TABLE IF NOT EXISTS part_hour (   -- which hours a part has events of
    symbol TEXT, hour INTEGER, part INTEGER, PRIMARY KEY (symbol, hour, part)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS part_hour_part ON part_hour (part);
CREATE TABLE IF NOT EXISTS dirty (       -- hours whose raw input has changed since their bars were written
    symbol TEXT, hour INTEGER, PRIMARY KEY (symbol, hour)
) WITHOUT ROWID;
-- edge, run: hour is when the hour begins, or when the part of it begins in which trade ids have started again.
CREATE TABLE IF NOT EXISTS edge (        -- the first and the last trade of an hour that has trades
    symbol TEXT, hour INTEGER, first_id INTEGER, last_id INTEGER, last_price TEXT, PRIMARY KEY (symbol, hour)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (         -- runs of consecutive trade ids that the lines of an hour name
    symbol TEXT, hour INTEGER, first_id INTEGER, last_id INTEGER, PRIMARY KEY (symbol, first_id, hour)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS run_hour ON run (symbol, hour);
CREATE INDEX IF NOT EXISTS run_last ON run (symbol, last_id);
CREATE TABLE IF NOT EXISTS built (       -- when an hour's bars were written: what was known of its neighbours, its trades
    symbol TEXT, hour INTEGER, surroundings TEXT, trades INTEGER, PRIMARY KEY (symbol, hour)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trace (       -- the seconds with trades that decide where a numbering begins (sql/trace.sql)
    symbol TEXT, second INTEGER, low INTEGER, high INTEGER, falls INTEGER, PRIMARY KEY (symbol, second)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS trace_falls ON trace (symbol, second) WHERE falls;
PRAGMA user_version = 2;
