-- dxy_synthetic_minute: the US dollar index out of its six rates. Grain: one minute in which at least one of them has a
-- bar, and in which all six have a close that is not older than five minutes (between the starts of the minutes).
-- Input: macro_minute. oldest_s is the age of the oldest of the six closes in seconds, 0 to 300.
-- The formula is ICE's (U.S. Dollar Index, FAQ). Why no older closes: after a weekend the rates come back one by one,
-- and an index of Friday's euro and Sunday's yen never was.
CREATE OR REPLACE VIEW dxy_synthetic_minute AS
WITH closes AS (
    SELECT ticker, window_start, close
    FROM macro_minute
    WHERE ticker IN ('EURUSD=X', 'USDJPY=X', 'GBPUSD=X', 'USDCAD=X', 'USDSEK=X', 'USDCHF=X')
),
tickers AS (SELECT DISTINCT ticker FROM closes),
minutes AS (SELECT DISTINCT window_start FROM closes),
asked AS (SELECT ticker, window_start FROM minutes CROSS JOIN tickers),
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
