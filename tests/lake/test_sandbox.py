"""The locked connection: it reads the lake and does nothing else, whatever the SQL says."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

import lake
from lake import duck, files, readonly, sandbox, views
from lake.errors import BadInputError
from lake.layout import Layout
from lake.windows import DAY
from tests.lake.sliceable import bars

HOUR = datetime(2025, 10, 20, 7, tzinfo=UTC)

WRITES = [
    "COPY (SELECT 1) TO '{base}/written.csv'",
    "COPY (PIVOT bars_1m ON symbol USING first(close)) TO '{base}/written.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{base}/written.csv'",
    "EXPLAIN (ANALYZE, FORMAT json) COPY (SELECT 1) TO '{base}/written.csv'",
    "SELECT 1; COPY (SELECT 1) TO '{base}/written.csv'",
    "-- a question\nCOPY (SELECT 1) TO '{base}/written.csv'",
    "EXPORT DATABASE '{base}/written'",
    "ATTACH '{base}/written.db'",
    "ATTACH ':memory:' AS other",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE SECRET mine (TYPE http)",
    "DROP VIEW bars_1m",
    "CALL enable_logging(storage = 'file', storage_path = '{base}/written')",
    "PRAGMA enable_profiling",
    "INSTALL httpfs",
    "LOAD httpfs",
    "UPDATE EXTENSIONS",
    "SET threads = 1",
    "SET enable_external_access = true",
    "SET allowed_directories = ['/']",
    "RESET lock_configuration",
    "SET VARIABLE mine = 1",
    "PREPARE mine AS SELECT 1",
    "CHECKPOINT",
    "USE memory",
    "IMPORT DATABASE '{base}'",
    "WITH mine AS (COPY (SELECT 1) TO '{base}/written.csv') FROM mine",
    "WITH mine AS (\u00a0copy\u00a0(SELECT 1) TO '{base}/written.csv') FROM mine",
    "EXPLAIN ANALYZE WITH mine AS (COPY (SELECT 1) TO '{base}/written.csv') FROM mine",
    "/*/**/ FROM x */ COPY (PIVOT bars_1m ON symbol USING first(close)) TO '{base}/written.csv'",
    "/*/**/ FROM x */ CREATE TABLE mine AS PIVOT bars_1m ON symbol USING first(close)",
    "/*/**/ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE COPY (SELECT 1) TO '{base}/written.csv'",
    "/*/**/ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE CREATE TABLE mine AS SELECT 1",
    "--\rEXPLAIN ANALYZE CREATE TABLE mine AS SELECT 1 /*\nEXPLAIN SELECT 1 -- */",
    "EXPLAIN (ANALYZE /*) SELECT 1 --*/ ) CREATE TABLE mine AS SELECT 1",
    "EXPLAIN (ANALYZE /*) SELECT 1 --*/ ) COPY (SELECT 1) TO '{base}/written.csv'",
]
SMUGGLED = [
    "FROM json_execute_serialized_sql(json_serialize_sql('WITH x AS (CO'||'PY (SELECT 1) TO ''{base}/x'') FROM x'))",
    "SELECT json_serialize_sql('SELECT 1')",
    "FROM query('CO' || 'PY (SELECT 1) TO ''{base}/x''')",
    """FROM "QUERY"('SELECT 1')""",
    "FROM query_table('bars_1s')",
    "FROM system.main.read_blob('{base}/.prefect/prefect.db')",
    "SELECT (SELECT content FROM read_text('{base}/config.yml'))",
    "SELECT * FROM bars_1s WHERE EXISTS (FROM glob('{base}/**'))",
    "WITH a AS (WITH b AS (DELETE FROM bars_1s RETURNING 1) FROM b) FROM a",
    "WITH a AS (INSERT INTO bars_1s SELECT * FROM bars_1s RETURNING 1) FROM a",
    "SELECT [x FOR x IN [1] IF EXISTS (FROM read_csv('{base}/config.yml'))]",
    "SELECT list_transform([1], lambda x: (SELECT getenv('HOME')))",
    "SELECT 'HOME'.getenv()",
    "SELECT sleep_ms(1)",
    "FROM pandas_scan(1)",
    "FROM arrow_scan(1, 2, 3)",
    "FROM checkpoint()",
    "FROM sniff_csv('{base}/config.yml')",
    "FROM read_duckdb('{base}/.prefect/prefect.db')",
    "FROM which_secret('x', 's3')",
    "VALUES ((SELECT write_log('x')))",
    "SELECT 1 ORDER BY (SELECT count(*) FROM read_text('{base}/config.yml'))",
    "SELECT sum(1) OVER (ORDER BY (SELECT count(*) FROM read_text('{base}/config.yml')))",
    "PIVOT (FROM read_text('{base}/config.yml')) ON filename USING first(content)",
    """WITH x AS (SELECT 1), y AS (PIVOT (FROM "Query"('SELECT 1 a')) ON a USING count(*)) FROM y""",
    "PIVOT bars_1m ON symbol USING first(getenv('HOME'))",
    "DESCRIBE FROM read_text('{base}/config.yml')",
    "SUMMARIZE FROM read_text('{base}/config.yml')",
    "EXPLAIN ANALYZE FROM read_text('{base}/config.yml')",
    "FROM bars_1s UNION ALL BY NAME FROM read_text('{base}/config.yml')",
    "SELECT nosuchfunction(1)",
]
"""Inside of a question."""
HERE = "lake://parquet/binance/SOLUSDT"
BENEATH = [
    *WRITES,
    *SMUGGLED,
    *(
        query.replace("@", to)
        for to in ("{base}/w.parquet", "lake://w.parquet", f"{HERE}/w.parquet", "{base}/{hour}", "lake://{hour}")
        for query in (
            "COPY (SELECT 1 a) TO '@' (FORMAT parquet, USE_TMP_FILE false)",
            "COPY (SELECT 1 a) TO '@' (FORMAT csv)",
            "COPY (SELECT 1 a, 2 b) TO '@' (FORMAT parquet, PARTITION_BY a, OVERWRITE)",
            "COPY (SELECT 1 a) TO '@' (FORMAT json, PER_THREAD_OUTPUT)",
            "EXPORT DATABASE '@'",
            "ATTACH '@' AS mine",
        )
    ),
    "COPY (SELECT 1) TO 'file://{base}/written.csv'",
    "CREATE PERSISTENT SECRET mine (TYPE http)",
]
"""With names, too, that the connection's own file system has."""
OUTSIDE = [
    "FROM '/etc/passwd.parquet'",
    "FROM read_parquet('{outside}')",
    "FROM read_parquet('{base}/../secret.parquet')",
    "FROM read_parquet('{base}/reports/link.parquet')",
    "FROM read_parquet('{base}/reports/folder/secret.parquet')",
    "FROM read_parquet('https://example.invalid/x.parquet')",
    "FROM parquet_metadata('{outside}')",
    "FROM '{base}/.prefect/inner.parquet'",
    "FROM '{base}/own.parquet'",
    "FROM 'lake://own.parquet'",
    "FROM 'lake://.prefect/inner.parquet'",
    "FROM 'lake://reports/.hidden.parquet'",
    "FROM 'lake://reports/../.prefect/inner.parquet'",
    "FROM 'lake://reports//../own.parquet'",
    "FROM 'lake:///etc/passwd.parquet'",
    "FROM 'lake://reports/link.parquet'",
    "FROM 'lake://reports/folder/secret.parquet'",
    "FROM read_parquet('lake://**/inner.parquet')",
    "FROM read_parquet('lake://*/inner.parquet')",
    "FROM read_parquet('lake://*.parquet')",
    "FROM read_parquet('lake://reports/**/secret.parquet')",
    "FROM read_parquet('lake://config.yml')",
    "FROM read_parquet('lake://reports/config.yml')",
    "FROM read_parquet('lake://raw/own.parquet')",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A lake with two bars of SOLUSDT, and all that an attack would look for around it."""
    layout = Layout(tmp_path_factory.mktemp("place") / "lake")
    files.write_parquet(layout.hour_file("SOLUSDT", HOUR), bars("SOLUSDT", HOUR, 2), "snappy")
    for name in (
        ".prefect/inner",
        "reports/.hidden",
        "reports/parity",
        "own",
        "../secret",
        "quarantine/own",
        "raw/own",
    ):
        files.write_parquet(layout.base / f"{name}.parquet", pa.table({"a": [1]}), "snappy")
    (layout.base / ".prefect" / "prefect.db").write_bytes(b"secret")
    (layout.base / "config.yml").write_text("a: 1\n")
    (layout.base / "reports" / "config.yml").write_text("a: 1\n")
    (layout.reports / "link.parquet").symlink_to(layout.base.parent / "secret.parquet")
    (layout.reports / "folder").symlink_to(layout.base.parent, target_is_directory=True)
    return layout


@pytest.fixture(scope="module")
def opened(place):
    with sandbox.connect(place.base) as found:
        yield found


@pytest.fixture
def con(opened):
    return opened.cursor()


@pytest.fixture
def layout(place):
    return place


def content(layout):
    """Every file in the lake and beside it, and what is in it."""
    found = (path for path in sorted(layout.base.parent.rglob("*")) if path.is_file())
    return {str(path): path.read_bytes() for path in found}


def asked(query, layout):
    hour = layout.hour_file("SOLUSDT", HOUR).relative_to(layout.base).as_posix()
    return query.format(base=layout.base, outside=layout.base.parent / "secret.parquet", hour=hour)


@pytest.mark.parametrize("query", WRITES)
def test_what_is_no_question_is_refused_and_leaves_nothing(con, layout, query):
    before = content(layout)
    for ask in (con.sql, con.execute, con.query, con.cursor().execute):
        with pytest.raises(BadInputError, match="is refused, as only reading is allowed here"):
            ask(asked(query, layout))
    assert content(layout) == before


@pytest.mark.parametrize("query", SMUGGLED)
def test_what_hides_in_a_question_is_refused_before_it_runs(con, layout, query):
    before = content(layout)
    with pytest.raises(BadInputError, match=r"is refused|no such function here"):
        con.sql(asked(query, layout))
    assert content(layout) == before


def test_who_gets_around_the_check_still_cannot_write(layout):
    """The first lock alone: whatever DuckDB makes of a statement that nobody checked, no file changes."""
    before, refused = content(layout), 0
    with views.readonly(layout) as beneath:
        for query in BENEATH:
            try:
                beneath.execute(asked(query, layout)).fetchall()
            except duckdb.Error:
                refused += 1
    assert content(layout) == before
    assert refused > len(BENEATH) / 2


@pytest.mark.parametrize("to", ["{base}/written.csv", "lake://reports/written.parquet", "lake://{hour}"])
def test_a_relation_cannot_write(con, layout, to):
    before, rows = content(layout), con.sql("SELECT symbol FROM bars_1s")
    for write in (rows.to_csv, rows.to_parquet, rows.write_csv, rows.write_parquet):
        with pytest.raises(duckdb.Error):
            write(asked(to, layout))
    with pytest.raises(duckdb.Error):
        rows.query("mine", f"COPY (FROM mine) TO '{asked(to, layout)}'")
    with pytest.raises(duckdb.Error):
        rows.filter(f"EXISTS (FROM read_text('{layout.base}/config.yml'))").fetchall()
    assert content(layout) == before


def test_the_relation_that_bars_returns_cannot_write_either(layout):
    before = content(layout)
    rows = lake.bars("SOLUSDT", HOUR, HOUR + DAY, tf="1s", form="duckdb", base=layout.base)
    assert len(rows.fetchall()) == 2
    for to in (layout.base / "written.csv", "lake://reports/written.csv"):
        with pytest.raises(duckdb.Error):
            rows.query("mine", f"COPY (FROM mine) TO '{to}'")
    assert content(layout) == before


def test_a_variable_of_python_is_no_table(con):
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(duckdb.CatalogException):
        con.sql("FROM frame")
    assert len(frame) == 1


@pytest.mark.parametrize("query", [7, None, b"SELECT 1", "SELECT '\udcff'"])
def test_what_is_no_text_is_bad_input(con, query):
    with pytest.raises(BadInputError, match="expected SQL as text"):
        con.execute(query)


@pytest.mark.parametrize("query", OUTSIDE)
def test_only_the_parquet_files_of_the_lake_are_read(con, layout, query):
    with pytest.raises((BadInputError, duckdb.PermissionException, duckdb.IOException)):
        con.execute(asked(query, layout)).fetchall()


@pytest.mark.parametrize("name", ["../secret", "reports/link", "reports/folder/secret", ".prefect/inner", "own"])
def test_what_was_refused_is_there_for_who_is_not_locked_in(layout, name):
    """Else the test above would pass for a file that nobody can read."""
    assert duckdb.connect().execute(f"FROM '{layout.base}/{name}.parquet'").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "FROM '{base}/reports/parity.parquet'",
        "FROM 'lake/reports/parity.parquet'",
        "FROM './lake/reports/../reports/parity.parquet'",
        "FROM 'lake://reports/parity.parquet'",
        "FROM read_parquet(['{base}/reports/parity.parquet'])",
        "FROM read_parquet('lake/reports/p*y.parquet')",
        "FROM read_parquet('lake://reports/[!.x]arity.parquet')",
        "FROM read_parquet('lake://re*/**/parity.parquet')",
        "SELECT 1 FROM parquet_schema('lake/reports/parity.parquet') LIMIT 1",
    ],
)
def test_files_of_the_lake_are_read_by_their_paths_too(con, layout, monkeypatch, query):
    monkeypatch.chdir(layout.base.parent)
    assert con.sql(query.format(base=layout.base)).fetchall() == [(1,)]


def test_a_path_is_a_parameter_too(con, layout):
    file = str(layout.parity)
    assert con.sql("FROM read_parquet($file)", params={"file": file}).fetchall() == [(1,)]
    assert con.execute("FROM read_parquet(?)", [[file]]).fetchall() == [(1,)]


def test_a_text_that_is_no_path_of_the_lake_stays_as_it_is(con):
    query = """SELECT 'x''y.parquet', $$reports/p.parquet$$, 'p.parquet' AS "reports/p.parquet" -- 'é.parquet'"""
    assert con.sql(query).fetchall() == [("x'y.parquet", "reports/p.parquet", "p.parquet")]


@pytest.mark.parametrize("view", views.VIEWS)
def test_views_give_the_same_rows_as_without_locks(con, layout, view):
    with views.connect(layout) as free:
        query = f"FROM {view} ORDER BY ALL"
        assert con.sql(query).to_arrow_table().equals(free.sql(query).to_arrow_table())


@pytest.mark.parametrize("odd", ["{a}", "it's", "%s", "a [1] *", "sp ace", "币", "a=1", "$x"])
def test_a_lake_in_a_folder_with_odd_signs_is_asked_in_every_way(tmp_path, odd):
    layout = Layout(tmp_path / odd)
    files.write_parquet(layout.hour_file("SOLUSDT", HOUR), bars("SOLUSDT", HOUR, 2), "snappy")
    files.write_parquet(layout.parity, pa.table({"a": [1]}), "snappy")
    con = sandbox.connect(layout.base)
    assert con.sql("SELECT count(*) FROM bars_1s").fetchall() == [(2,)]
    assert con.sql("FROM read_parquet($file)", params={"file": str(layout.parity)}).fetchall() == [(1,)]
    assert con.sql(f"FROM {duck.literal(str(layout.parity))}").fetchall() == [(1,)]
    for form in ("arrow", "duckdb"):
        rows = lake.bars("SOLUSDT", HOUR, HOUR + DAY, tf="1s", form=form, base=layout.base)
        assert len(rows) == 2


def test_threads_that_read_one_file_do_not_mix_their_places(tmp_path):
    """DuckDB's threads share a file: each seeks, then reads."""
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(100)))
    file = readonly._File(path)

    def elsewhere():
        file.seek(20)
        return file.read(2)

    file.seek(10)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(elsewhere).result() == bytes([20, 21])
    assert file.read(2) == bytes([10, 11])
    file.seek(5)
    assert [file.read(2), file.read(2), file.tell()] == [bytes([5, 6]), bytes([7, 8]), 9]


@pytest.mark.parametrize(
    "query",
    [
        "FROM bars_1s",
        "/* how, 什么 /* nested */ */ EXPLAIN ANALYZE SELECT 1",
        "-- how\rEXPLAIN (FORMAT json) SELECT 1",
        "DESCRIBE bars_1m",
        "SHOW TABLES",
        "SUMMARIZE bars_1m",
        "PIVOT bars_1m ON symbol USING first(close) GROUP BY window_start",
        "WITH one AS (SELECT 1) FROM one",
        "VALUES (1)",
        "SUMMARIZE SELECT close FROM bars_1s",
        "FROM (DESCRIBE bars_1m)",
        "SHOW ALL TABLES",
        "PIVOT bars_1m ON symbol IN ('SOLUSDT') USING first(close)",
        "WITH p AS (PIVOT bars_1s ON symbol USING count(*)) FROM p",
        "UNPIVOT (SELECT open, close FROM bars_1s) ON open, close",
        "SELECT COLUMNS(lambda c: c LIKE 'vol%') FROM bars_1s",
        "SELECT * EXCLUDE (symbol) REPLACE (close * 2 AS close) FROM bars_1s",
        "SELECT list_transform([1, 2], lambda x: x + 1), [x FOR x IN [1, 2] IF x > 1]",
        "SELECT close - lag(close) OVER w FROM bars_1s WINDOW w AS (ORDER BY window_start ROWS 3 PRECEDING)",
        "WITH RECURSIVE r AS (SELECT 1 n UNION ALL SELECT n + 1 FROM r WHERE n < 3) FROM r",
        "SELECT b.close FROM bars_1s a ASOF JOIN bars_1s b ON a.symbol = b.symbol AND a.window_start > b.window_start",
        "FROM rolled_up('bars_1s', 600)",
        "SELECT time_bucket(INTERVAL 10 MINUTES, window_start) t, sum(volume_base) FROM bars_1s GROUP BY ALL",
        "SELECT quantile_cont(close, 0.5), arg_max(close, window_start) FILTER (trade_count > 0) FROM bars_1s",
        "SELECT unnest([1, 2]), 1::DECIMAL(10, 2), NULL::STRUCT(a INT[]), DATE '2025-10-20', {'a': 1}, now()",
        "SELECT 'COPY the delete' AS \"insert\", 'read_text' FROM bars_1s",
        "FROM bars_1s SELECT symbol.lower() QUALIFY row_number() OVER () = 1 LIMIT 50%",
        "SELECT DISTINCT ON (symbol) close FROM bars_1s USING SAMPLE 100%",
        "SELECT count(*) FROM information_schema.tables",
        "SELECT name FROM duckdb_settings()",
        "FROM range(3)",
        "FROM bars_1s, LATERAL (SELECT close)",
    ],
)
def test_questions_are_answered(con, query):
    assert con.sql(query).fetchall() is not None
    assert con.execute(query).description


def test_a_question_nested_too_deeply_is_one_error(con):
    for query in ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "SELECT 1" + " + 1" * 5000):
        with pytest.raises((BadInputError, duckdb.Error)):
            con.sql(query)


def test_a_misspelt_function_is_named_with_its_like(con):
    with pytest.raises(BadInputError, match=r"strtfime\(\): no such function here: is strptime or strftime"):
        con.sql("SELECT strtfime(now(), '%Y')")


def test_the_locked_settings_cannot_be_changed_back_by_who_gets_around_the_check(con):
    """DuckDB's own lock, beneath the check of the statements."""
    beneath = con._con
    for query in ("SET enable_external_access = true", "SET allowed_directories = ['/']", "RESET lock_configuration"):
        with pytest.raises(duckdb.InvalidInputException):
            beneath.execute(query)


def test_a_frame_of_ones_own_joins_the_views(con):
    con.register("mine", pd.DataFrame({"symbol": ["SOLUSDT"], "weight": [2.0]}))
    assert con.sql("SELECT weight, trade_count FROM mine JOIN bars_1m USING (symbol)").fetchall() == [(2.0, 2)]


def test_a_cursor_in_another_thread_has_the_views_the_lock_and_utc(layout, monkeypatch, con):
    found = []

    def ask():
        other = con.cursor()
        found.append(other.execute("SELECT current_setting('TimeZone'), count(*) FROM bars_1s").fetchone())
        with pytest.raises(BadInputError):
            other.sql("SET threads = 1")

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [("UTC", 2)]


def test_what_it_does_not_have_is_named(con):
    with pytest.raises(AttributeError, match="this connection only reads"):
        _ = con.load_extension


def test_lake_connect_takes_the_lake_of_the_settings(con, layout, monkeypatch):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    assert lake.connect().sql("SELECT count(*) FROM bars_1s").fetchall() == [(2,)]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_base_path_that_is_a_link_itself_is_read(con, layout, tmp_path):
    link = tmp_path / "lake-link"
    link.symlink_to(layout.base, target_is_directory=True)
    assert sandbox.connect(link).sql("SELECT count(*) FROM bars_1s").fetchall() == [(2,)]


def test_a_folder_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInputError, match="no such folder"):
        lake.connect(tmp_path / "nowhere")


def test_what_does_not_fit_into_memory_goes_to_a_hidden_folder_that_does_not_stay(con, layout):
    spill = Path(con.execute("SELECT current_setting('temp_directory')").fetchone()[0])
    assert spill.parent == layout.base.resolve()
    assert spill.name.startswith(".")
    con.close()
    assert not spill.exists()
