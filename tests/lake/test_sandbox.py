"""The locked connection: it reads the lake and does nothing else, whatever the SQL says."""

import sys
import threading
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import lake
from lake import sandbox, transform
from lake.errors import BadInputError

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
OUTSIDE = [
    "FROM read_text('/etc/passwd')",
    "FROM read_csv('{base}/../secret.csv')",
    "FROM read_csv('{outside}')",
    "FROM read_csv('{base}/link.csv')",
    "FROM read_csv('{base}/folder/secret.csv')",
    "FROM glob('/etc/*')",
    "FROM sniff_csv('{outside}')",
    "FROM read_blob('{outside}')",
    "FROM parquet_metadata('/etc/passwd')",
    "FROM read_csv('https://example.invalid/x.csv')",
    "FROM query('FROM read_text(''/etc/passwd'')')",
]


@pytest.fixture
def con(layout, raw):
    raw.put(raw.trade(1, 10), raw.trade(2, 11))
    transform.run(layout, "SOLUSDT")
    secret = layout.base.parent / "secret.csv"
    secret.write_text("a\n1\n")
    (layout.base / "link.csv").symlink_to(secret)
    (layout.base / "folder").symlink_to(layout.base.parent, target_is_directory=True)
    with sandbox.connect(layout.base) as found:
        yield found


@pytest.mark.parametrize("query", WRITES)
def test_what_is_no_question_is_refused_and_leaves_nothing(con, layout, query):
    before = sorted(layout.base.rglob("*"))
    with pytest.raises(BadInputError, match="is refused, as only reading is allowed here"):
        con.sql(query.format(base=layout.base))
    with pytest.raises(BadInputError):
        con.execute(query.format(base=layout.base))
    with pytest.raises(BadInputError):
        con.cursor().execute(query.format(base=layout.base))
    assert sorted(layout.base.rglob("*")) == before


@pytest.mark.parametrize("query", [7, None, b"SELECT 1", "SELECT '\udcff'"])
def test_what_is_no_text_is_bad_input(con, query):
    with pytest.raises(BadInputError, match="expected SQL as text"):
        con.execute(query)


@pytest.mark.parametrize("query", OUTSIDE)
def test_nothing_outside_of_the_lake_is_read(con, layout, query):
    asked = query.format(base=layout.base, outside=layout.base.parent / "secret.csv")
    with pytest.raises(duckdb.PermissionException):
        con.execute(asked).fetchall()


def test_what_was_refused_is_there_for_who_is_not_locked_in(con, layout):
    """Else the test above would pass for a file that nobody can read."""
    free = duckdb.connect()
    for name in ("../secret.csv", "link.csv", "folder/secret.csv"):
        assert free.execute(f"FROM read_csv('{layout.base}/{name}')").fetchall() == [(1,)]


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
    ],
)
def test_questions_are_answered(con, query):
    assert con.sql(query).fetchall()


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
