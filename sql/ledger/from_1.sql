-- A ledger of version 1 becomes one of version 2, after make.sql; no raw line is read. Version 1 did not know numberings.
-- Of the seconds with trades it has the first and last id of each hour, which is near enough to see where ids fall.
-- To build again: hours in which ids fall, and hours without a trade in the ledger that no consecutive ids prove to have
-- none, because version 1 dropped trades whose ids an earlier numbering had. Hours whose raw parts are gone stay.
ALTER TABLE edge ADD COLUMN first_second INTEGER;
ALTER TABLE edge ADD COLUMN last_second INTEGER;
INSERT OR IGNORE INTO trace SELECT symbol, hour, first_id, first_id FROM edge;
INSERT OR IGNORE INTO trace SELECT symbol, hour + 3599000000, last_id, last_id FROM edge WHERE last_id <> first_id;
INSERT OR IGNORE INTO fall
SELECT symbol, second
FROM (SELECT symbol, second, high <= lag(high) OVER (PARTITION BY symbol ORDER BY second) AS falls FROM trace)
WHERE falls;
INSERT OR IGNORE INTO dirty
SELECT DISTINCT symbol, hour FROM part_hour AS mine
WHERE NOT EXISTS (
        SELECT 1 FROM part_hour AS other JOIN part ON part.id = other.part
        WHERE other.symbol = mine.symbol AND other.hour = mine.hour AND part.gone
    )
    AND (
        EXISTS (
            SELECT 1 FROM fall
            WHERE symbol = mine.symbol AND second >= mine.hour AND second < mine.hour + 3600000000
        )
        OR (
            EXISTS (SELECT 1 FROM edge WHERE symbol = mine.symbol)
            AND NOT EXISTS (SELECT 1 FROM edge WHERE symbol = mine.symbol AND hour = mine.hour)
            AND coalesce(
                (SELECT last_id + 1 FROM edge WHERE symbol = mine.symbol AND hour < mine.hour ORDER BY hour DESC LIMIT 1)
                <> (SELECT first_id FROM edge WHERE symbol = mine.symbol AND hour > mine.hour ORDER BY hour LIMIT 1),
                1
            )
        )
    );
