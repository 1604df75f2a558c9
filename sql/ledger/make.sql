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
-- edge: the first and the last trade of an hour that has trades, and their seconds. An hour in which trade ids start again
-- has an edge and runs for each of its parts: hour is then when the part begins.
CREATE TABLE IF NOT EXISTS edge (
    symbol TEXT, hour INTEGER, first_id INTEGER, last_id INTEGER, last_price TEXT,
    first_second INTEGER, last_second INTEGER, PRIMARY KEY (symbol, hour)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (         -- runs of consecutive trade ids that an hour holds
    symbol TEXT, hour INTEGER, first_id INTEGER, last_id INTEGER, PRIMARY KEY (symbol, first_id, hour)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS run_hour ON run (symbol, hour);
CREATE INDEX IF NOT EXISTS run_last ON run (symbol, last_id);
CREATE TABLE IF NOT EXISTS built (       -- what was known of an hour's neighbours when its bars were written
    symbol TEXT, hour INTEGER, surroundings TEXT, PRIMARY KEY (symbol, hour)
) WITHOUT ROWID;
-- trace: the seconds with trades that decide where a numbering begins (sql/trace.sql), with the ids their raw lines name.
CREATE TABLE IF NOT EXISTS trace (
    symbol TEXT, second INTEGER, low INTEGER, high INTEGER, PRIMARY KEY (symbol, second)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fall (        -- the seconds among those whose ids do not go on above those before
    symbol TEXT, second INTEGER, PRIMARY KEY (symbol, second)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbering (   -- the seconds with which trade ids start again (lake/numbering.py)
    symbol TEXT, start INTEGER, PRIMARY KEY (symbol, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contradiction ( -- the seconds that lines of one id with different contents name
    symbol TEXT, id INTEGER, second INTEGER, PRIMARY KEY (symbol, id, second)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS contradiction_second ON contradiction (symbol, second);
PRAGMA user_version = 2;
