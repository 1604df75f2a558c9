-- macro_minute: Yahoo's minute bars. Grain: one ticker, one minute in which Yahoo has a price.
-- Input: macro/minute/TICKER/year=/month=/day=. Why hive_partitioning is off: the folder EURUSD=X looks like a partition.
-- Why the ticker comes from the path: a filter on it then leaves out files before they are opened.
CREATE OR REPLACE VIEW macro_minute AS
WITH columns AS (
    SELECT
        NULL::TIMESTAMPTZ AS ts, NULL::DOUBLE AS open, NULL::DOUBLE AS high, NULL::DOUBLE AS low,
        NULL::DOUBLE AS close, NULL::DOUBLE AS volume, NULL::VARCHAR AS path
    WHERE false
),
bars AS (
    SELECT * FROM columns
    UNION ALL BY NAME
    SELECT * FROM read_parquet(
        '@@BASE@@/macro/minute/*/year=*/month=*/day=*/*.parquet', allow_empty = true, filename = 'path',
        hive_partitioning = false
    )
)
SELECT parse_path(path)[-5] AS ticker, ts AS window_start, open, high, low, close, volume
FROM bars;
