-- gaps_in(files): the rows of ledger/gaps in the files named by a glob or a list. Grain: one symbol, one gap. A copy of such
-- a file under another name is not read: ids counted twice would hide a hole.
CREATE OR REPLACE MACRO gaps_in(files) AS TABLE
SELECT symbol, first_missing_id, last_missing_id, from_time, to_time, state
FROM (
    SELECT
        NULL::VARCHAR AS symbol, NULL::BIGINT AS first_missing_id, NULL::BIGINT AS last_missing_id,
        NULL::TIMESTAMPTZ AS from_time, NULL::TIMESTAMPTZ AS to_time, NULL::VARCHAR AS state, NULL::VARCHAR AS path
    WHERE false
    UNION ALL BY NAME
    SELECT * FROM read_parquet(
        files, allow_empty = (typeof(files) = 'VARCHAR' OR len(files) = 0), filename = 'path', hive_partitioning = false
    )
)
WHERE parse_filename(path) = symbol || '.parquet';
