-- What is known about the exchange's history (SQLite). It can be made again at the cost of some requests.
-- Times are microseconds since 1970 UTC. Version 2: notes of version 1 took candles off their grid for missing, and what
-- REST does not have for what nobody has; they are dropped, so that each is asked for once more.
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS hole;
DROP TABLE IF EXISTS listing;
CREATE TABLE hole (        -- ranges for which a source was asked and has nothing
    symbol TEXT, interval TEXT, source TEXT, start_us INTEGER, end_us INTEGER,
    PRIMARY KEY (symbol, interval, source, start_us)
) WITHOUT ROWID;
CREATE TABLE listing (     -- the window of the first candle that REST has
    symbol TEXT, interval TEXT, first_us INTEGER, PRIMARY KEY (symbol, interval)
) WITHOUT ROWID;
PRAGMA user_version = 2;
COMMIT;
