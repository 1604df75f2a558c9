-- A ledger of version 1 becomes one of version 2, after make.sql; no raw line is read. Version 1 knew no numberings: where
-- trade ids started again, it dropped the trades whose ids it had already. The first and last id of each hour show where
-- ids fall. An hour with raw lines and no trade may have lost all of its trades. From the first such hour of a symbol on,
-- each hour is built again whose raw parts are all there; symbols without such an hour stay as they are.
ALTER TABLE built ADD COLUMN trades INTEGER;
UPDATE built SET trades = (
    SELECT coalesce(sum(last_id - first_id + 1), 0) FROM run WHERE run.symbol = built.symbol AND run.hour = built.hour
);
INSERT OR IGNORE INTO trace SELECT symbol, hour, first_id, first_id, 0 FROM edge;
INSERT OR IGNORE INTO trace SELECT symbol, hour + 3599000000, last_id, last_id, 0 FROM edge WHERE last_id <> first_id;
UPDATE trace SET falls = 1 FROM (
    SELECT symbol, second, high <= lag(high) OVER (PARTITION BY symbol ORDER BY second) AS fell FROM trace
) AS found
WHERE found.fell AND trace.symbol = found.symbol AND trace.second = found.second;
INSERT OR IGNORE INTO dirty
SELECT DISTINCT part_hour.symbol, part_hour.hour
FROM part_hour
JOIN (
    SELECT symbol, min(hour) AS hour
    FROM (
        SELECT symbol, second - second % 3600000000 AS hour FROM trace WHERE falls
        UNION ALL
        SELECT symbol, hour FROM part_hour
        WHERE (symbol, hour) NOT IN (SELECT symbol, hour FROM edge)
            AND hour > (SELECT min(hour) FROM edge WHERE edge.symbol = part_hour.symbol)
    )
    GROUP BY symbol
) AS odd ON odd.symbol = part_hour.symbol AND part_hour.hour >= odd.hour
WHERE (part_hour.symbol, part_hour.hour) NOT IN (
    SELECT part_hour.symbol, part_hour.hour FROM part_hour JOIN part ON part.id = part_hour.part WHERE part.gone
);
