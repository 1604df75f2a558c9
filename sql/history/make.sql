-- What is known about the exchange's history (SQLite). It can be made anew at the cost of some requests.
-- Times are microseconds since 1970 UTC.
CREATE TABLE IF NOT EXISTS hole (        -- ranges in which the exchange was asked and has nothing
    symbol TEXT, interval TEXT, start_us INTEGER, end_us INTEGER, PRIMARY KEY (symbol, interval, start_us)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listing (     -- the first candle that the exchange has
    symbol TEXT, interval TEXT, first_us INTEGER, PRIMARY KEY (symbol, interval)
) WITHOUT ROWID;
PRAGMA user_version = 1;
