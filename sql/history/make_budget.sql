-- What is used of an exchange's limits. Grain: one account (a limit of one host).
CREATE TABLE IF NOT EXISTS budget (account TEXT PRIMARY KEY, span INTEGER, used INTEGER, until_s REAL) WITHOUT ROWID
