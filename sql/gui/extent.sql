-- The first and the last second of some files of 1-second bars.
SELECT min(window_start) AS first, max(window_start) AS last FROM read_parquet($files, hive_partitioning = false);
