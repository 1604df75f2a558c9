"""`crypto-lake` as a person types it: in a process of its own, with no server."""

import csv
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from lake import views

DAY = ("--start", "2025-10-20", "--end", "2025-10-21")


def refused(done, *words, code=2):
    """It ended with this code and one line that has these words."""
    assert (done.returncode, done.stdout) == (code, ""), done
    lines = done.stderr.splitlines()
    assert len(lines) == 1 or code == 1, done.stderr  # what is done only in part shows its table first
    assert all(word in lines[-1] for word in words), lines[-1]
    return True


@pytest.fixture
def five_seconds(raw):
    """Trades 1 to 6 of SOLUSDT, one a second."""
    raw.put(*(raw.trade(number, number) for number in range(1, 7)), raw.quote(1, 6.5))
    return raw


def test_transform_reports_in_its_one_line_the_raw_lines_that_it_could_not_use(command, raw):
    raw.put(raw.trade(1, 0), raw.trade(2, 1, "0"), "torn")
    said = "1 bars of 1 symbol, 0 seconds missing, 2 raw lines refused (see the quarantine)\n"
    assert command("transform-hour").stdout == said


def test_transform_compact_validate_and_slice_with_no_server(command, five_seconds, layout, tmp_path):
    done = command("transform-hour", "--symbols", "SOLUSDT")
    assert (done.returncode, done.stdout) == (0, "6 bars of 1 symbol, 0 seconds missing\n"), done.stderr
    assert command("transform-hour").stdout == "nothing to build: no raw input has changed\n"

    assert command("compact-day", "--date", "2025-10-20").stdout == "1 symbol-day, 6 bars\n"
    day = layout.day_file("SOLUSDT", datetime(2025, 10, 20, tzinfo=UTC).date())
    assert pq.ParquetFile(day).metadata.num_rows == 6
    assert command("compact-day").stdout == "nothing to compact: every closed day is compacted\n"

    done = command("slice-export", "--symbols", "solusdt", *DAY, "--out", "new/slice.csv", "--format", "csv")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "here" / "new" / "slice.csv").read_text().splitlines()) == 7
    assert refused(
        command("slice-export", "--symbols", "SOLUSDT", *DAY, "--out", "new/slice.csv"), "slice.csv: is there already"
    )
    again = command("slice-export", "--symbols", "SOLUSDT", *DAY, "--out", "new/slice.csv", "--overwrite")
    assert (again.returncode, again.stdout.split(": ")[1]) == (0, "6 rows of 1 symbol\n"), again.stderr
    done = command("verify", "new/slice.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("new/slice.csv: as its receipt says: 6 rows, ")
    strict = ("--start", "2025-10-20T00:00:02Z", "--end", "2025-10-20T00:00:06Z", "--require-complete")
    assert command("slice-export", "--symbols", "SOLUSDT", *strict, "--out", "strict.parquet").returncode == 0
    refused(
        command("slice-export", "--symbols", "SOLUSDT", *DAY, "--out", "x", "--require-complete"),
        "not proved complete: SOLUSDT 2025-10-20T00:00:00Z/2025-10-20T00:00:02Z (2 s)", code=1,
    )  # fmt: skip

    span = ("--start", "2025-10-20T00:00:02Z", "--end", "2025-10-20T00:00:06Z")
    done = command("validate-rules", "--symbols", "SOLUSDT", *span, "--json", "--report", "mine.md")
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["rows"]) == (0, "PASS", 4), done.stderr
    assert "# " in (tmp_path / "here" / "mine.md").read_text()


def test_pages_of_more_runs_than_the_setting_says_go(command, five_seconds, layout):
    assert command("transform-hour").returncode == 0
    for second in (2, 3):
        span = ("--start", f"2025-10-20T00:00:0{second}Z", "--end", "2025-10-20T00:00:06Z")
        assert command("validate-rules", *span, LAKE_VALIDATION__KEEP_RUNS="1").returncode == 0
    kept = [path.name for path in (layout.reports / "data_docs" / "validations" / "bars_1s").iterdir()]
    assert kept == ["2025-10-20T000003Z_2025-10-20T000006Z"]


def test_a_failed_verdict_is_exit_code_one(command, five_seconds):
    assert command("transform-hour").returncode == 0
    done = command("validate-rules", "--start", "2025-10-22", "--end", "2025-10-23", "--json")
    assert (done.returncode, json.loads(done.stdout)["verdict"]) == (1, "FAIL")


def test_done_only_in_part_is_exit_code_one_with_the_rest_done(command, five_seconds, layout):
    done = command("transform-hour", "--symbols", "NEARUSDT,SOLUSDT")
    assert refused(done, "NEARUSDT: has no raw parts", "6 bars of 1 symbol", code=1)
    assert layout.bar_symbols() == ["SOLUSDT"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["transform-hour", "--symbols", "SOL/USDT"], ["symbol 'SOL/USDT'"]),
        (["transform-hour", "--symbols", ","], ["symbols"]),
        (["transform-hour", "--start", "yesterday", "--end", "2025-10-21"], ["start 'yesterday'", "ISO 8601"]),
        (["transform-hour", "--start", "2025-10-21"], ["end is missing"]),
        (["transform-hour", "--start", "2025-10-21", "--end", "2025-10-20"], ["is not after start"]),
        (["transform-hour", "--frobnicate"], ["--frobnicate"]),
        (["transform-hour", "SOLUSDT"], ["SOLUSDT"]),
        (["compact-day", "--date", "2025-13-01"], ["date '2025-13-01'"]),
        (["compact-day", "--date", "{today}"], ["is not over"]),
        (["validate-rules", "--tf", "5m"], ["tf", "5m"]),
        (["slice-export", "--symbols", "SOLUSDT", *DAY], ["--out"]),
        (["slice-export", "--symbols", "SOLUSDT", *DAY, "--out", "x", "--format", "xlsx"], ["format", "xlsx"]),
        (["slice-export", "--symbols", "SOLUSDT", *DAY, "--out", "x", "--tf", "7m"], ["tf", "7m"]),
        (["slice-export", "--symbols", "SOLUSDT", *DAY, "--out", "x", "--compression", "rar"], ["compression", "rar"]),
        (["slice-export", "--symbols", "S'L", *DAY, "--out", "x"], ["symbol", "S'L"]),
        (["slice-export", "--symbols", "S/Y", *DAY, "--out", "x", "--source", "macro"], ["ticker 'S/Y'"]),
        (["slice-export", "--symbols", "SPY", *DAY, "--out", "x", "--source", "macro", "--tf", "1h"], ["macro has 1m"]),
        (
            ["slice-export", "--symbols", "SPY", *DAY, "--out", "x", "--source", "macro", "--require-complete"],
            ["require_complete", "not defined"],
        ),
        (
            ["slice-export", "--symbols", "SOLUSDT", *DAY, "--out", "x", "--format", "csv", "--compression", "zstd"],
            ["compression zstd: a CSV is not compressed"],
        ),
        (["verify", "missing.parquet"], ["missing.parquet: no such file"]),
        (["collect-live", "--duration", "-1"], ["duration", "greater than 0"]),
        (["collect-live", "--duration", "soon"], ["--duration", "number"]),
        (["import-frames", "missing.gz"], ["missing.gz", "no such file"]),
        (["frobnicate"], ["frobnicate"]),
    ],
)
def test_bad_input_is_one_line_that_names_it_and_exit_code_two(command, arguments, words):
    today = datetime.now(UTC).date().isoformat()
    assert refused(command(*(word.replace("{today}", today) for word in arguments)), *words)


def test_bad_configuration_is_bad_input(command):
    assert refused(command("transform-hour", LAKE_COLLECTOR__ROTATE_SECONDS="soon"), "LAKE_COLLECTOR__ROTATE_SECONDS")


def test_nothing_in_the_range_is_exit_code_one(command, five_seconds):
    assert command("transform-hour").returncode == 0
    late = ("--start", "2025-11-20", "--end", "2025-11-21")
    assert refused(command("slice-export", "--symbols", "SOLUSDT", *late, "--out", "x"), "SOLUSDT: no bars", code=1)


def test_a_slice_that_is_not_what_its_receipt_says_is_exit_code_one(command, five_seconds, tmp_path):
    assert command("transform-hour").returncode == 0
    assert command("slice-export", "--symbols", "SOLUSDT", *DAY, "--out", "a.parquet").returncode == 0
    with (tmp_path / "here" / "a.parquet").open("ab") as handle:
        handle.write(b"more")
    assert refused(command("verify", "a.parquet"), "a.parquet: is not what its receipt describes: bytes", code=1)
    (tmp_path / "here" / "a.parquet.receipt.json").write_text("{")
    assert refused(command("verify", "a.parquet"), "a.parquet.receipt.json: is no receipt of a slice", code=2)


def test_views_are_printed_for_any_client(command, layout):
    done = command("views")
    assert done.returncode == 0
    assert str(layout.base) in done.stdout
    assert "@@BASE@@" not in done.stdout
    con = duckdb.connect()
    con.execute(done.stdout)
    made = con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert {name for (name,) in made} == set(views.VIEWS)
    assert [con.execute(f"SELECT count(*) FROM {view}").fetchall() for view in views.VIEWS] == [[(0,)]] * len(
        views.VIEWS
    )


def test_a_query_is_a_table_csv_or_json(command, five_seconds):
    assert command("transform-hour").returncode == 0
    query = "SELECT symbol, window_start, close, vwap, 'nan'::DOUBLE AS odd FROM bars_1s ORDER BY window_start LIMIT 2"
    table = command("sql", query)
    assert table.returncode == 0
    assert table.stdout.split()[:5] == ["symbol", "window_start", "close", "vwap", "odd"]
    assert table.stdout.rstrip().endswith("2 rows")
    assert "the first 1 rows; --rows N" in command("sql", "--rows", "1", query).stdout
    rows = list(csv.DictReader(command("sql", "--format", "csv", query).stdout.splitlines()))
    told = json.loads(command("sql", "--format", "json", query).stdout)
    assert [row["window_start"] for row in rows] == [row["window_start"] for row in told]
    assert [float(row["close"]) for row in rows] == [row["close"] for row in told]
    assert [row["odd"] for row in told] == [None, None]
    assert json.loads(command("sql", "--format", "json", "FROM bars_1s LIMIT 0").stdout) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELEC 1", "syntax error at or near"),
        ("FROM nowhere", "nowhere does not exist"),
        ("COPY (SELECT 1) TO 'x'", "COPY is refused"),
        ("FROM read_text('/etc/passwd')", "read_text() is refused"),
        ("FROM read_blob('.prefect/prefect.db')", "read_blob() is refused"),
        ("FROM '/etc/passwd.parquet'", "queries read the lake's Parquet files and nothing else"),
        ("FROM 'lake://.prefect/x.parquet'", "cannot be read: queries only read"),
        (
            "FROM json_execute_serialized_sql(json_serialize_sql('WITH x AS (CO'||'PY (SELECT 1) TO ''x'') FROM x'))",
            "json_execute_serialized_sql() is refused",
        ),
        ("WITH x AS (COPY (SELECT 1) TO 'lake://reports/x.csv') FROM x", "COPY is refused"),
        ("ATTACH ':memory:' AS x", "ATTACH is refused"),
        ("SELECT 1; SELECT 2", "expected one query"),
        ("", "expected one query"),
    ],
)
def test_a_query_that_is_refused_is_one_line_and_exit_code_two(command, query, words):
    assert refused(command("sql", query), words)


def test_a_cell_with_markup_or_a_terminal_command_is_shown_as_it_is(command):
    shown = command("sql", "SELECT '[bold]x[/]' AS a, chr(27) || '[2J' AS b").stdout
    assert "[bold]x[/]" in shown
    assert "\x1b" not in shown


def test_no_text_of_a_csv_of_a_query_is_a_formula_as_in_a_slice(command):
    """In the header neither, nor in a list; numbers and times stay as they are."""
    query = """SELECT '=1+1' AS "=a", '-x' AS b, chr(9) || '@c' AS c, '＋d' AS d, 'SOL=' AS e, -0.5 AS f, -7 AS g,
        -1.5::DECIMAL(4, 1) AS h, NULL AS i, '-infinity'::DOUBLE AS j, ['='] AS k, '-5 days'::INTERVAL AS l"""
    header, row = csv.reader(command("sql", "--format", "csv", query).stdout.splitlines())
    assert header == ["'=a", *"bcdefghijkl"]
    assert row[:11] == ["'=1+1", "'-x", "'\t@c", "'＋d", "SOL=", "-0.5", "-7", "-1.5", "", "-inf", "['=']"]
    assert row[11].startswith("'-5 days")


def test_a_pipe_gets_the_data_as_it_is(command):
    query = "SELECT 'a' || chr(27) || '[2J' || chr(155) AS x"
    assert command("sql", "--format", "csv", query).stdout == "x\na\x1b[2J\x9b\n"
    assert json.loads(command("sql", "--format", "json", query).stdout) == [{"x": "a\x1b[2J\x9b"}]


@pytest.mark.parametrize("arguments", [("sql", "--format", "csv", "SELECT '币'"), ("sql", "SELECT '币'"), ("views",)])
def test_what_is_printed_is_utf_8_whatever_the_terminal_is(command, layout, arguments):
    """On Windows a redirected output has the code page of the country; DuckDB reads views.sql as UTF-8."""
    done = command(*arguments, LAKE_BASE_PATH=str(layout.base / "币"), PYTHONIOENCODING="cp1252")
    assert (done.returncode, "币" in done.stdout) == (0, True), done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_an_output_that_is_full_is_one_line_and_exit_code_one(layout, form):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "flows", "sql", "--format", form, "FROM range(30000)"], stdout=full,
            stderr=subprocess.PIPE, text=True, env=os.environ | {"LAKE_BASE_PATH": str(layout.base.parent)},
        )  # fmt: skip
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "standard output: cannot be written (No space left on device)" in done.stderr


def test_every_flow_is_a_command_whose_options_are_its_parameters(command):
    import inspect
    from importlib import import_module

    for name in ("collect_live", "transform_hour", "compact_day", "validate_rules", "slice_export"):
        wanted = set(inspect.signature(getattr(import_module(f"flows.{name}"), name).fn).parameters)
        said = command(name.replace("_", "-"), "--help").stdout
        options = re.findall(r"--([a-z-]+)", said.split("Options")[1].split("╰")[0])
        assert {name.replace("-", "_") for name in options} - {"help", "json"} == wanted


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminal")
def test_a_command_on_a_terminal_tells_nobody_of_a_new_user(layout, tmp_path):
    """Prefect's analytics of a new user begin when it is imported on a terminal, with a notice, and outside of CI."""
    ours, theirs = os.openpty()
    own = {key: value for key, value in os.environ.items() if key not in ("CI", "DO_NOT_TRACK", "BUILD_ID")}
    settings = {"LAKE_BASE_PATH": str(layout.base), "PREFECT_HOME": str(tmp_path / "prefect")}
    done = subprocess.run(
        [sys.executable, "-m", "flows", "compact-day"], env=own | settings, stdin=theirs, stdout=theirs, stderr=theirs
    )
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, said.split(":")[0]) == (0, "nothing to compact"), said


def test_help_tells_every_command(command):
    done = command("--help")
    assert done.returncode == 0
    for name in ("collect-live", "transform-hour", "import-frames", "simulate", "views", "sql", "demo"):
        assert name in done.stdout


def test_help_imports_nothing_heavy():
    script = (
        "import sys, flows.__main__; print({'prefect', 'duckdb', 'pyarrow', 'pandas', 'pydantic'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "set()\n"
