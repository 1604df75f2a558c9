-- dxy_of(minutes): the US dollar index out of its six rates in the table, view or CTE named `minutes`, which has the columns
-- of macro_minute; other tickers in it do not count. Grain: one minute in which at least one of the six has a bar, and in
-- which all have a close that is not older than five minutes (between the starts of the minutes). oldest_s is the age of
-- the oldest of the six closes in seconds, 0 to 300.
-- The formula is ICE's (U.S. Dollar Index, FAQ). Why no older closes: after a weekend the rates come back one by one,
-- and an index of Friday's euro and Sunday's yen never was.
-- Why close > 0: a rate of 0, which older versions stored, would make the index infinite.
CREATE OR REPLACE MACRO dxy_of(minutes) AS TABLE
WITH closes AS (
    SELECT ticker, window_start, close
    FROM query_table(minutes)
    WHERE ticker IN ('EURUSD=X', 'USDJPY=X', 'GBPUSD=X', 'USDCAD=X', 'USDSEK=X', 'USDCHF=X')
        AND close > 0 AND isfinite(close)
),
tickers AS (SELECT DISTINCT ticker FROM closes),
times AS (SELECT DISTINCT window_start FROM closes),
asked AS (SELECT ticker, window_start FROM times CROSS JOIN tickers),
known AS (
    SELECT
        asked.window_start, asked.ticker, closes.close,
        date_diff('second', closes.window_start, asked.window_start) AS age_s
    FROM asked
    ASOF JOIN closes ON asked.ticker = closes.ticker AND asked.window_start >= closes.window_start
)
SELECT
    window_start,
    50.14348112
    * pow(max(close) FILTER (ticker = 'EURUSD=X'), -0.576)
    * pow(max(close) FILTER (ticker = 'USDJPY=X'), 0.136)
    * pow(max(close) FILTER (ticker = 'GBPUSD=X'), -0.119)
    * pow(max(close) FILTER (ticker = 'USDCAD=X'), 0.091)
    * pow(max(close) FILTER (ticker = 'USDSEK=X'), 0.042)
    * pow(max(close) FILTER (ticker = 'USDCHF=X'), 0.036) AS dxy,
    max(age_s) AS oldest_s
FROM known
GROUP BY window_start
HAVING count(*) = 6 AND max(age_s) <= 300;
