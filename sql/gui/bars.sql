-- Bars of one symbol, of any width, out of just the Parquet files that hold its window.
-- Grain: one bar of $seconds that has at least one second. Input: $files, day files and hour files of 1-second bars.
-- An hour file supersedes its hour of the day file: $superseded are the hours that have one. Otherwise as sql/views/bars_1m.
WITH rows AS (
    SELECT * FROM read_parquet($files, hive_partitioning = false, filename = 'path')
    WHERE window_start >= $start AND window_start < $end
      AND (
          parse_filename(path) LIKE 'bars\_1s\_%' ESCAPE '\'
          OR NOT list_contains($superseded::BIGINT[], epoch_us(time_bucket(INTERVAL 1 HOUR, window_start)))
      )
),
rolled AS (
    SELECT
        symbol, time_bucket(to_seconds($seconds), window_start) AS window_start,
        coalesce(arg_min(open, first_trade_id) FILTER (trade_count > 0), arg_min(open, window_start)) AS open,
        coalesce(max(high) FILTER (trade_count > 0), max(high)) AS high,
        coalesce(min(low) FILTER (trade_count > 0), min(low)) AS low,
        coalesce(arg_max(close, last_trade_id) FILTER (trade_count > 0), arg_max(close, window_start)) AS close,
        sum(volume_base::DECIMAL(38, 8))::VARCHAR::DOUBLE AS volume_base,
        sum(volume_quote::DECIMAL(38, 12))::VARCHAR::DOUBLE AS volume_quote,
        sum(trade_count)::BIGINT AS trade_count,
        arg_max({'bid': bid, 'ask': ask, 'spread': spread}, window_start)
            FILTER (bid IS NOT NULL OR ask IS NOT NULL) AS quote,
        count(*) = $seconds AND bool_and(complete) AS complete
    FROM rows
    GROUP BY ALL
)
SELECT
    symbol, window_start, open, high, low, close, volume_base, volume_quote, trade_count,
    volume_quote / nullif(volume_base, 0) AS vwap, quote.bid AS bid, quote.ask AS ask, quote.spread AS spread, complete
FROM rolled
ORDER BY window_start;
