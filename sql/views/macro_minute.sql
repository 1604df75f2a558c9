-- macro_minute: Yahoo's minute bars. Grain: one ticker, one minute in which Yahoo has a price.
-- Input: macro/minute/TICKER/year=/month=/day=.
CREATE OR REPLACE VIEW macro_minute AS
SELECT *
FROM macro_in(
    '@@BASE@@/macro/minute/*/year=[0-9][0-9][0-9][0-9]/month=[0-9][0-9]/day=[0-9][0-9]/macro_minute.parquet'
);
