-- funding_oi_in(funding_files, interest_files): the hours of USD-M perpetuals in some files of fundings and of open
-- interest, named by globs or lists. Grain: one symbol, one hour in which a funding was paid or an open interest is known.
-- funding_rate and mark_price are those of the funding in force when the hour ends: the last one paid before that. What
-- is paid at 08:00:00.003 so belongs to the hour of 08:00 and to those after it, up to the next. One paid more than 24
-- hours before the hour's end is not carried on: no contract pays so rarely, so the next ones are missing here, and the
-- two are null. open_interest and open_interest_value are the hour's last 5-minute values, null where it has none.
-- A glob may find no file; one of a list that is not there is an error, never an empty result.
CREATE OR REPLACE MACRO funding_oi_in(funding_files, interest_files) AS TABLE
WITH funding_columns AS (
    SELECT
        NULL::TIMESTAMPTZ AS funding_time, NULL::DOUBLE AS funding_rate, NULL::DOUBLE AS mark_price,
        NULL::VARCHAR AS path
    WHERE false
),
funding_rows AS (
    SELECT * FROM funding_columns
    UNION ALL BY NAME
    SELECT * FROM read_parquet(
        funding_files, allow_empty = (typeof(funding_files) = 'VARCHAR' OR len(funding_files) = 0),
        filename = 'path', hive_partitioning = false,
        schema = file_schema('funding_time TIMESTAMPTZ, funding_rate DOUBLE, mark_price DOUBLE')
    )
),
fundings AS (
    SELECT parse_path(path)[-3] AS symbol, * EXCLUDE (path)
    FROM funding_rows
    WHERE typeof(funding_files) <> 'VARCHAR' OR is_symbol(parse_path(path)[-3])
),
interest_columns AS (
    SELECT
        NULL::TIMESTAMPTZ AS ts, NULL::DOUBLE AS open_interest, NULL::DOUBLE AS open_interest_value,
        NULL::VARCHAR AS path
    WHERE false
),
interest_rows AS (
    SELECT * FROM interest_columns
    UNION ALL BY NAME
    SELECT * FROM read_parquet(
        interest_files, allow_empty = (typeof(interest_files) = 'VARCHAR' OR len(interest_files) = 0),
        filename = 'path', hive_partitioning = false,
        schema = file_schema('ts TIMESTAMPTZ, open_interest DOUBLE, open_interest_value DOUBLE')
    )
),
interest AS (
    SELECT
        parse_path(path)[-5] AS symbol, time_bucket(INTERVAL 1 HOUR, ts) AS window_start,
        arg_max({'amount': open_interest, 'value': open_interest_value}, ts) AS newest
    FROM interest_rows
    WHERE typeof(interest_files) <> 'VARCHAR' OR is_symbol(parse_path(path)[-5])
    GROUP BY ALL
),
hours AS (
    SELECT symbol, window_start FROM interest
    UNION
    SELECT symbol, time_bucket(INTERVAL 1 HOUR, funding_time) FROM fundings
),
ends AS (SELECT symbol, window_start, window_start + INTERVAL 1 HOUR AS window_end FROM hours),
in_force AS (
    SELECT
        ends.symbol, ends.window_start, coalesce(funding_time >= window_end - INTERVAL 24 HOUR, false) AS is_valid,
        CASE WHEN is_valid THEN funding_rate END AS funding_rate, CASE WHEN is_valid THEN mark_price END AS mark_price
    FROM ends
    ASOF LEFT JOIN fundings ON ends.symbol = fundings.symbol AND ends.window_end > fundings.funding_time
)
SELECT
    symbol, window_start, funding_rate, mark_price, newest.amount AS open_interest, newest.value AS open_interest_value
FROM in_force
LEFT JOIN interest USING (symbol, window_start);
