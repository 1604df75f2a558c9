-- Coverage of a window by second, in buckets. Grain: one bucket of $seconds; a bucket without any bar is there too.
-- Inputs: as bars.sql. held: seconds with trades; flat: seconds in which the exchange says that nothing traded;
-- missing: seconds of the window without a bar; complete: seconds proved complete by trade ids.
WITH rows AS (
    SELECT window_start, trade_count, complete FROM read_parquet($files, hive_partitioning = false, filename = 'path')
    WHERE window_start >= $start AND window_start < $end
      AND (
          parse_filename(path) LIKE 'bars\_1s\_%' ESCAPE '\'
          OR NOT list_contains($superseded::BIGINT[], epoch_us(time_bucket(INTERVAL 1 HOUR, window_start)))
      )
),
counted AS (
    SELECT
        time_bucket(to_seconds($seconds), window_start, $start::TIMESTAMPTZ) AS bucket,
        count(*) FILTER (trade_count > 0) AS held, count(*) FILTER (trade_count = 0) AS flat,
        count(*) FILTER (complete) AS complete
    FROM rows
    GROUP BY ALL
),
buckets AS (
    SELECT unnest(generate_series($start::TIMESTAMPTZ, $end::TIMESTAMPTZ - INTERVAL 1 SECOND, to_seconds($seconds)))
        AS window_start
),
sized AS (
    SELECT
        window_start,
        date_diff('second', window_start, least(window_start + to_seconds($seconds), $end::TIMESTAMPTZ)) AS seconds
    FROM buckets
)
SELECT
    window_start, seconds, coalesce(held, 0) AS held, coalesce(flat, 0) AS flat,
    greatest(seconds - coalesce(held, 0) - coalesce(flat, 0), 0) AS missing, coalesce(complete, 0) AS complete
FROM sized
LEFT JOIN counted ON counted.bucket = sized.window_start
ORDER BY window_start;
