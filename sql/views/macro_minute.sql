-- macro_minute: Yahoo's minute bars. Grain: one ticker, one minute in which Yahoo has a price.
-- Input: macro/minute/TICKER/year=/month=/day=.
CREATE OR REPLACE VIEW macro_minute AS
SELECT * FROM macro_in('@@BASE@@/macro/minute/*/year=*/month=*/day=*/*.parquet');
