-- numberings_in(files): the seconds with which trade ids start again, out of the files named by a glob or a list. Grain:
-- one symbol, one second. As a rule there is no file.
CREATE OR REPLACE MACRO numberings_in(files) AS TABLE
SELECT NULL::VARCHAR AS symbol, NULL::TIMESTAMPTZ AS window_start WHERE false
UNION ALL BY NAME
SELECT * FROM read_parquet(
    files, allow_empty = (typeof(files) = 'VARCHAR' OR len(files) = 0), hive_partitioning = false
);
