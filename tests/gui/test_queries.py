"""What is asked of a small lake: exact rows."""

import csv
import io
from datetime import timedelta

import duckdb
import pytest

from gui import open as gui_open
from gui import queries, source, state
from lake import compact, sandbox, selections
from lake.errors import BadInputError
from lake.layout import Layout
from lake.windows import Window
from tests.gui.small import DXY, START, derivatives, macro, seconds, write

HOUR = Window(START, START + timedelta(hours=1))


@pytest.fixture
def con(layout):
    layout.base.mkdir(exist_ok=True)
    return sandbox.connect(layout.base)


def test_minutes_are_those_of_the_lakes_own_view(layout, con):
    write(layout, seconds(600, without=range(130, 150)))
    ours = queries.bars(con, layout, "SOLUSDT", HOUR, "1m")
    names = ", ".join(ours.column_names)
    assert ours.num_rows == 10
    assert (
        ours.to_pylist() == con.sql(f"SELECT {names} FROM bars_1m ORDER BY window_start").to_arrow_table().to_pylist()
    )
    assert [row["complete"] for row in ours.to_pylist()].count(False) == 1


@pytest.mark.parametrize(("tf", "rows"), [("1s", 600), ("1m", 10), ("5m", 2), ("15m", 1), ("1h", 1), ("1d", 1)])
def test_bars_of_every_timeframe_have_the_same_volume_and_ends(layout, con, tf, rows):
    write(layout, seconds(600))
    found = queries.bars(con, layout, "SOLUSDT", state.with_a_bar(HOUR, tf), tf)
    assert found.num_rows == rows
    assert sum(found["volume_base"].to_pylist()) == 600 / 5 * 4 * 2
    assert found["open"][0].as_py() == 100.0


def test_an_hour_file_supersedes_its_hour_of_the_compacted_day(layout, con):
    write(layout, seconds(7200), compacted=True)
    write(layout, seconds(60, price=500.0))
    found = queries.bars(con, layout, "SOLUSDT", Window(START, START + timedelta(hours=2)), "1m")
    assert found.num_rows == 61
    assert (found["open"][0].as_py(), found["open"][1].as_py()) == (500.0, 136.0)


def test_a_day_that_is_not_there_has_no_bars_and_all_its_seconds_missing(layout, con):
    write(layout, seconds(60))
    gone = Window(START - timedelta(days=3), START - timedelta(days=2))
    assert queries.bars(con, layout, "SOLUSDT", gone, "1m").num_rows == 0
    found = queries.coverage(con, layout, "SOLUSDT", gone).to_pylist()
    assert len(found) == 240
    assert sum(row["missing"] for row in found) == 86_400
    assert sum(row["held"] + row["flat"] for row in found) == 0


def test_trade_ids_run_on_through_what_is_not_written(layout, con):
    write(layout, seconds(600))
    write(layout, seconds(600, START + timedelta(hours=1)))
    found = queries.coverage(con, layout, "SOLUSDT", Window(START, START + timedelta(minutes=70)))
    assert sum(found["trades_missing"].to_pylist()) == 3000 * 4 / 5 * 2


DAYS = Window(START.replace(hour=0), START.replace(hour=0) + timedelta(days=3))
"""The day of `START` and two more."""


@pytest.fixture
def beside(layout, con):
    """Two days of derivatives and macro minutes from ten o'clock on, and torn files beside them."""
    for day in (0, 1):
        derivatives(layout, 14, START + timedelta(days=day))
        macro(layout, 840, START + timedelta(days=day))
    gone = START.date() - timedelta(days=2)
    derivatives(layout, 14, symbol="SUIUSDT")
    torn = [layout.macro_file(name, gone) for name in (*DXY, "SPY")]
    torn += [layout.open_interest_file("SOLUSDT", gone), layout.funding_file("SUIUSDT", START.year)]
    for path in torn:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"torn")
    return layout


def test_derivatives_and_macro_open_no_file_but_those_of_their_symbol_and_range(beside, con):
    assert queries.derivatives(con, beside, "SOLUSDT", DAYS).num_rows == 28
    assert queries.macro(con, beside, "SPY", DAYS).num_rows == 840  # buckets of two minutes
    assert queries.dxy(con, beside, DAYS).num_rows == 840  # buckets of two minutes


def test_derivatives_macro_and_dxy_are_those_of_the_lakes_views(layout, con):
    for day in (0, 1):
        derivatives(layout, 14, START + timedelta(days=day))
        macro(layout, 840, START + timedelta(days=day))
    late = Window(START + timedelta(hours=13, minutes=58), START + timedelta(hours=26))  # 23:58, when the day ends
    for found, view, names in (
        (queries.derivatives(con, layout, "SOLUSDT", DAYS), "funding_oi_hourly", "*"),
        (queries.macro(con, layout, "SPY", late), "macro_minute WHERE ticker = 'SPY'", "window_start, close"),
        (queries.dxy(con, layout, late), "dxy_synthetic_minute", "window_start, dxy AS close"),
    ):
        rows = con.sql(f"SELECT {names} FROM (FROM {view}) ORDER BY window_start").to_arrow_table().to_pylist()
        span = DAYS if names == "*" else late
        assert found.to_pylist() == [row for row in rows if span.start <= row["window_start"] < span.end]
        assert found.num_rows


def test_a_rate_of_just_before_the_range_is_carried_into_it(layout, con):
    """At 00:00 to 00:04 the euro has no bar; its last is of 23:59, in yesterday's file."""
    eve = START.replace(hour=23, minute=50)
    macro(layout, 10, eve)
    day = eve + timedelta(minutes=10)
    macro(layout, 5, day, [name for name in DXY if name != "EURUSD=X"])
    found = queries.dxy(con, layout, Window(day, day + timedelta(minutes=5)))
    assert found["window_start"].to_pylist() == [day + timedelta(minutes=n) for n in range(5)]


def test_coverage_counts_each_second_once(layout, con):
    write(layout, seconds(3600, without=range(1000, 1100)))
    found = queries.coverage(con, layout, "SOLUSDT", HOUR).to_pylist()
    total = {name: sum(row[name] for row in found) for name in ("seconds", "held", "flat", "missing", "complete")}
    assert total == {"seconds": 3600, "held": 2800, "flat": 700, "missing": 100, "complete": 3500}
    assert sum(row["trades_missing"] for row in found) == 80 * 2
    assert len(found) == 240
    assert {row["window_start"] for row in found if row["missing"]} <= {
        START + timedelta(seconds=15 * n) for n in range(66, 74)
    }


def test_csv_is_the_rows_of_the_query(layout, con):
    write(layout, seconds(600))
    table = queries.bars(con, layout, "SOLUSDT", HOUR, "1m")
    read_back = list(csv.DictReader(io.StringIO(queries.csv(table).decode())))
    assert [row["window_start"] for row in read_back] == [
        row["window_start"].isoformat().replace("+00:00", "Z") for row in table.to_pylist()
    ]
    for name in ("open", "high", "low", "close", "volume_base", "volume_quote"):
        assert [float(row[name]) for row in read_back] == table[name].to_pylist()


def test_files_that_go_away_while_a_day_is_compacted_are_listed_again(layout, con, monkeypatch):
    write(layout, seconds(7200))
    before = queries.bars(con, layout, "SOLUSDT", HOUR, "1m")
    listed, calls = selections.bars, []

    def late(*args):
        found = listed(*args)
        calls.append(found)
        if len(calls) == 1:  # the list of the first try: its files go before they are read
            compact.run(layout, "SOLUSDT", START.date())
        return found

    monkeypatch.setattr(selections, "bars", late)
    assert queries.bars(con, layout, "SOLUSDT", HOUR, "1m") == before
    assert len(calls) == 2


def test_a_file_that_stays_broken_is_an_error(layout, con):
    write(layout, seconds(60))
    layout.hour_file("SOLUSDT", START).write_bytes(b"torn")
    with pytest.raises(duckdb.Error):
        queries.bars(con, layout, "SOLUSDT", HOUR, "1m")


def test_verdicts_are_the_newest_of_each_day_and_what_is_torn_is_passed_over(layout):
    root = layout.reports / "data_docs" / "validations" / "bars_1s"
    for name, text in (
        ("a", '{"suite": "bars_1s", "days": [{"symbol": "SOLUSDT", "day": "2025-10-20", "state": "FAIL", '
              '"violated": ["R1"], "href": "x/p.html"}, {"symbol": "SUIUSDT"}]}'),
        ("b", '{"suite":'),
    ):  # fmt: skip
        (root / name).mkdir(parents=True)
        (root / name / "run.json").write_text(text)
    (found,) = queries.verdicts(layout, "SOLUSDT")
    assert found == {"day": "2025-10-20", "suite": "bars_1s", "verdict": "FAIL", "rules": "R1",
                     "page": "validations/bars_1s/a/x/p.html"}  # fmt: skip
    assert queries.verdicts(layout, "ADAUSDT") == []


def test_a_long_range_is_as_many_points_as_the_browser_is_given(layout, con):
    write(layout, seconds(7200))
    window = Window(START, START + timedelta(hours=2))
    assert queries.bars(con, layout, "SOLUSDT", window, state.coarse("1s", window)).num_rows == 120


def test_a_lake_in_a_folder_with_the_signs_of_a_pattern_is_read(tmp_path):
    odd = Layout(tmp_path / "a [1] 'lake' *?")
    write(odd, seconds(120))
    con = sandbox.connect(odd.base)
    assert source.extent(con, odd, "SOLUSDT") == (START, START + timedelta(seconds=119))
    assert queries.bars(con, odd, "SOLUSDT", HOUR, "1m").num_rows == 2


def test_the_connection_reads_no_file_outside_of_the_lake(layout, con, tmp_path):
    write(Layout(tmp_path / "other"), seconds(60))
    with pytest.raises(duckdb.PermissionException):
        queries.bars(con, Layout(tmp_path / "other"), "SOLUSDT", HOUR, "1m")


@pytest.mark.parametrize(
    "attack",
    [
        "FROM json_execute_serialized_sql(json_serialize_sql('WITH x AS (CO'||'PY (SELECT 1) TO ''x'') FROM x'))",
        "WITH x AS (COPY (SELECT 1) TO 'lake://reports/x.parquet') FROM x",
        "FROM read_blob('{base}/.prefect/prefect.db')",
        "ATTACH '{base}/x.db'",
        "SET lock_configuration = false",
    ],
)
def test_the_dashboards_own_connection_only_reads(layout, monkeypatch, attack):
    write(layout, seconds(60))
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    before = sorted(layout.base.rglob("*"))
    with pytest.raises(BadInputError, match="is refused"):
        gui_open.opened().con.sql(attack.format(base=layout.base))
    assert sorted(layout.base.rglob("*")) == before
