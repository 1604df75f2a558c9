-- What is used of an exchange's limits. Grain: one account (a limit of one host). span: number of the exchange's minute
-- (or five) that `used` is of; until_s: nobody may ask before, our clock; ahead_s: the exchange's clock less ours.
CREATE TABLE IF NOT EXISTS budget (
    account TEXT PRIMARY KEY, units INTEGER, ahead_s REAL, span INTEGER, used INTEGER, until_s REAL
) WITHOUT ROWID
