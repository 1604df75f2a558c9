-- macro_in(files): Yahoo's minute bars in some files, named by a glob or a list. Grain: one ticker, one minute.
-- Why hive_partitioning is off: the folder EURUSD=X looks like a partition.
-- Why the ticker comes from the path: a filter on it then leaves out files before they are opened.
-- A glob may find no file; one of a list that is not there is an error, never an empty result.
CREATE OR REPLACE MACRO macro_in(files) AS TABLE
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
        files, allow_empty = (typeof(files) = 'VARCHAR' OR len(files) = 0), filename = 'path', hive_partitioning = false,
        schema = file_schema('ts TIMESTAMPTZ, open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE')
    )
)
SELECT parse_path(path)[-5] AS ticker, ts AS window_start, open, high, low, close, volume
FROM bars
WHERE typeof(files) <> 'VARCHAR' OR is_ticker(parse_path(path)[-5]);
