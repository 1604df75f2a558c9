"""lake.bars and its kin: equal to the views, out of just the files that are needed."""

import shutil
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lake
from lake import compact, files, read, selections, transform, views
from lake.errors import BadInputError, LakeError
from lake.layout import Layout
from lake.schemas import BARS, FUNDING, OPEN_INTEREST, UTC_US
from lake.timeframes import SECONDS
from lake.windows import SECOND_US, Window, moment
from tests.conftest import DAY, Raw
from tests.lake.test_views import everything

DATE = date(2025, 10, 20)
RANGE = ("2025-10-20", "2025-10-21")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Three days of two symbols: the first is compacted, of the second an hour beside its day, the third in hours."""
    layout = Layout(tmp_path_factory.mktemp("two") / "lake")
    for symbol in ("SOLUSDT", "ADAUSDT"):
        mine = Raw(layout, symbol)
        for day in range(3):
            first = day * 100 + 1
            mine.put(*(mine.trade(first + n, day * 86_400 + n * 1801, str(10 + n)) for n in range(40)))
        transform.run(layout, symbol)
        for day in (0, 1):
            compact.run(layout, symbol, moment(DAY + day * 86_400 * SECOND_US).date())
        mine.put(mine.trade(500, 86_400 + 7200 + 30))
        transform.run(layout, symbol)
    return layout


def view(layout, name, where):
    return views.connect(layout).sql(f"FROM {name} WHERE {where}").to_arrow_table()


@pytest.mark.parametrize("tf", list(SECONDS))
def test_bars_equal_the_view_of_their_length(two, tf):
    got = lake.bars("SOLUSDT", "2025-10-20", "2025-10-23", tf=tf, form="arrow", base=two.base)
    assert got.num_rows
    assert got.equals(view(two, f"bars_{tf}", "symbol = 'SOLUSDT' ORDER BY window_start"))


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 3 * 86_400), length=st.integers(1, 86_400), tf=st.sampled_from(["1s", "1m", "15m", "1h"]))
def test_any_range_equals_the_same_condition_on_the_view(built, start, length, tf):
    window = Window(moment(DAY + start * SECOND_US), moment(DAY + (start + length) * SECOND_US))
    got = lake.bars("SOLUSDT", window.start, window.end, tf=tf, form="arrow", base=built.layout.base)
    where = f"symbol = 'SOLUSDT' AND window_start >= '{window.start}' AND window_start < '{window.end}'"
    assert got.equals(built.con.sql(f"FROM bars_{tf} WHERE {where} ORDER BY window_start").to_arrow_table())


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("frames") / "lake")
    raw = Raw(layout, "SOLUSDT")
    raw.put(*(raw.trade(n + 1, n * 977, str(10 + n % 7)) for n in range(260)))
    transform.run(layout, "SOLUSDT")
    compact.run(layout, "SOLUSDT", DATE)
    return SimpleNamespace(layout=layout, con=views.connect(layout))


def test_symbols_come_in_the_order_asked_for(two):
    got = lake.bars(["SOLUSDT", "ADAUSDT"], "2025-10-20", "2025-10-23", tf="1d", base=two.base)
    assert list(got["symbol"]) == ["SOLUSDT"] * 3 + ["ADAUSDT"] * 3
    assert got["window_start"].dtype == "datetime64[us, UTC]"


def test_coverage_tells_of_hours_without_bars_at_the_edges_of_the_range_too(two):
    got = lake.coverage("SOLUSDT", "2025-10-19T22:00:00Z", "2025-10-20T01:30:00Z", base=two.base)
    assert [str(at) for at in got["window_start"]] == [f"2025-10-{hour}:00:00+00:00" for hour in (
        "19 22", "19 23", "20 00", "20 01")]  # fmt: skip
    assert list(got["seconds_expected"]) == [3600, 3600, 3600, 1800]
    assert list(got["seconds_missing"])[:2] == [3600, 3600]
    assert (got["seconds_expected"] == got[["seconds_held", "seconds_flat", "seconds_missing"]].sum(axis=1)).all()


def test_coverage_counts_nothing_as_missing_that_is_yet_to_come(two):
    now = datetime.now(UTC)
    got = lake.coverage("SOLUSDT", now - timedelta(hours=2), now + timedelta(days=400), base=two.base)
    assert 7199 <= got["seconds_expected"].sum() <= 7260
    with pytest.raises(BadInputError, match="is yet to come"):
        lake.coverage("SOLUSDT", now + timedelta(hours=1), now + timedelta(hours=2), base=two.base)


def test_coverage_sees_a_hole_that_began_before_the_range(two):
    """The last trade of day 0 is number 40, the first of day 1 number 101."""
    got = lake.coverage("SOLUSDT", "2025-10-21", "2025-10-23", base=two.base)
    hours = view(two, "coverage", "symbol = 'SOLUSDT' AND window_start >= '2025-10-21' ORDER BY window_start")
    assert got["trades_missing"][0] == 60
    assert list(got["trades_missing"][: len(hours)]) == hours["trades_missing"].to_pylist()


def test_a_trade_that_stands_far_behind_a_higher_id_is_no_longer_missing_before_it(two):
    """Number 500 stands in the third hour of day 1; 201 to 240 come on day 2."""
    day, both = (lake.coverage("SOLUSDT", "2025-10-21", end, base=two.base) for end in ("2025-10-22", "2025-10-23"))
    assert day["trades_missing"][2] - both["trades_missing"][2] == 40


def test_ids_that_begin_anew_are_no_missing_trades_and_hide_none_after_them(layout, raw):
    """Else an hour would miss minus five thousand trades, which a sum over hours takes off those that are missing."""
    hour = 3600
    before = [raw.trade(5000 + n, n) for n in range(3)]
    raw.put(*before, raw.trade(1, 10), raw.trade(2, 11), raw.trade(3, hour), raw.trade(9, 2 * hour))
    transform.run(layout, "SOLUSDT")
    got = lake.coverage("SOLUSDT", "2025-10-20", "2025-10-20T03:00:00Z", base=layout.base)
    assert list(got["trades_missing"]) == [0, 0, 5]
    assert view(layout, "coverage", "true ORDER BY window_start")["trades_missing"].to_pylist() == [0, 0, 5]


def test_klines_macro_and_funding_equal_their_views(layout, raw):
    everything(layout, raw)
    day = ("2025-10-20", "2025-10-21")
    found = {
        "klines_1m": lake.klines("SOLUSDT", *day, form="arrow", base=layout.base),
        "macro_minute": lake.macro("EURUSD=X", *day, form="arrow", base=layout.base),
        "funding_oi_hourly": lake.funding("SOLUSDT", *day, form="arrow", base=layout.base),
    }
    for name, table in found.items():
        key = "ticker = 'EURUSD=X'" if name == "macro_minute" else "symbol = 'SOLUSDT'"
        within = "window_start >= '2025-10-20' AND window_start < '2025-10-21'"
        expected = view(layout, name, f"{key} AND {within} ORDER BY window_start").select(table.column_names)
        assert table.num_rows, name
        assert table.equals(expected), name


def test_a_funding_of_the_old_year_is_in_force_in_the_new_one(layout):
    eve, new_year = datetime(2024, 12, 31, 16, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    paid = FUNDING.conform(pa.table([["SOLUSDT"], pa.array([eve], UTC_US), [0.0001], [185.5]], FUNDING.names))
    files.write_parquet(layout.funding_file("SOLUSDT", 2024), paid, "snappy")
    held = OPEN_INTEREST.conform(
        pa.table([["SOLUSDT"], pa.array([new_year], UTC_US), [9.0], [900.0]], OPEN_INTEREST.names)
    )
    files.write_parquet(layout.open_interest_file("SOLUSDT", new_year.date()), held, "snappy")
    got = lake.funding("SOLUSDT", "2025-01-01", "2025-01-02", form="arrow", base=layout.base)
    assert got.select(["funding_rate", "open_interest"]).to_pylist() == [{"funding_rate": 0.0001, "open_interest": 9.0}]


def test_the_forms_hold_the_same_rows(two):
    forms = {form: lake.bars("SOLUSDT", *RANGE, base=two.base, form=form) for form in ("pandas", "arrow", "duckdb")}
    assert isinstance(forms["arrow"], pa.Table)
    assert isinstance(forms["duckdb"], duckdb.DuckDBPyRelation)
    assert forms["duckdb"].to_arrow_table().equals(forms["arrow"])
    pd.testing.assert_frame_equal(forms["pandas"], forms["arrow"].to_pandas())


def test_times_are_taken_in_every_form_that_python_has(two):
    midnight, next_day = datetime(2025, 10, 20, tzinfo=UTC), datetime(2025, 10, 21)  # noqa: DTZ001  UTC where none is said
    asked = [
        RANGE, ("2025-10-20T02:00:00+02:00", "2025-10-21T00:00:00Z"), (DATE, date(2025, 10, 21)), (midnight, next_day),
        (pd.Timestamp("2025-10-20", tz="UTC"), pd.Timestamp("2025-10-20T20:00", tz="America/New_York")),
    ]  # fmt: skip
    found = [lake.bars("SOLUSDT", *pair, base=two.base, form="arrow") for pair in asked]
    assert all(table.equals(found[0]) for table in found)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda base: lake.bars("SOLUSD", *RANGE, base=base), "SOLUSD: the lake .* no bars of it: is SOLUSDT"),
        (lambda base: lake.macro("SPY", *RANGE, base=base), "SPY: the lake .* no macro minutes"),
        (lambda base: lake.klines("SOLUSDT", *RANGE, base=base), "SOLUSDT: the lake .* no klines"),
        (lambda base: lake.funding("SOLUSDT", *RANGE, base=base), "SOLUSDT: the lake .* no derivatives"),
        (lambda base: lake.coverage("SOLUSDC", *RANGE, base=base), "SOLUSDC: the lake .* no bars"),
    ],
)
def test_a_name_that_the_lake_has_nothing_of_is_named(two, ask, words):
    with pytest.raises(LakeError, match=words):
        ask(two.base)


@pytest.mark.parametrize(
    "symbol", ["SOL'USDT", "[SOL]", "SOL\0USDT", "\u202eTDSULOS", "../SOLUSDT", "", "SOL USDT", None, 7]
)
def test_a_symbol_that_is_none_is_refused_by_name(two, symbol):
    with pytest.raises(BadInputError, match="symbol"):
        lake.bars([symbol], *RANGE, base=two.base)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"start": "yesterday"}, "start 'yesterday'"),
        ({"end": "2025-10-19"}, "is not after start"),
        ({"tf": "7m"}, "tf '7m': expected one of 1s, 1m"),
        ({"form": "polars"}, "form 'polars': expected one of pandas"),
        ({"base": "nowhere"}, "base 'nowhere': no such folder"),
        ({"base": "a\0b"}, r"base 'a\\x00b': no such folder"),
        ({"base": "n" * 5000}, "base 'nnn.*: no such folder"),
        ({"base": 7}, "base '7': no such folder"),
        ({"start": pd.NaT}, "start NaT: expected a year from 2009"),
        ({"start": date(1, 1, 1)}, "start 0001-01-01: expected a year from 2009"),
        ({"symbols": None}, "None: expected a name, or a list of names"),
        ({"symbols": 7}, "7: expected a name, or a list of names"),
        ({"symbols": []}, "symbols: at least one"),
    ],
)
def test_bad_arguments_are_named(two, values, words):
    asked = {"symbols": "SOLUSDT", "start": RANGE[0], "end": RANGE[1], "base": two.base} | values
    with pytest.raises(BadInputError, match=words):
        lake.bars(**asked)


def test_a_range_in_which_nothing_is_gives_the_columns_and_no_rows(two):
    for start, end in (("2024-01-01", "2024-01-02"), ("2025-10-20T00:00:01Z", "2025-10-20T00:00:59Z")):
        got = lake.bars("SOLUSDT", start, end, base=two.base, form="arrow")
        assert got.num_rows == 0
        assert got.column_names == ["exchange", *BARS.names]


def test_a_file_that_compaction_takes_away_meanwhile_is_listed_anew(two, layout):
    """Listed, then compacted, then read: the first try meets a file that is gone."""
    shutil.copytree(two.base, layout.base)
    con, tries = views.connect(layout), []
    day = moment(DAY + 2 * 86_400 * SECOND_US).date()

    def select():
        found = selections.bars(layout, ["SOLUSDT"], Window.of_day(day), "1s")
        tries.append(found)
        if len(tries) == 1:
            compact.run(layout, "SOLUSDT", day)
        return found

    before = read.bars(layout, "SOLUSDT", Window.of_day(day))
    got = selections.ask(con, select)
    assert len(tries) == 2
    assert got.select(BARS.names).cast(BARS.arrow).equals(before)


@pytest.mark.parametrize("what", [b"", b"no Parquet at all, whatever its name says"])
def test_a_file_that_cannot_be_read_is_an_error_of_the_lake_that_names_it(two, layout, what):
    shutil.copytree(two.base, layout.base)
    layout.day_file("SOLUSDT", DATE).write_bytes(what)
    for ask in (lake.bars, lake.coverage):
        with pytest.raises(LakeError, match=r"2025-10-20\.parquet.*: move the file away"):
            ask("SOLUSDT", *RANGE, base=layout.base)
        relation = ask("SOLUSDT", *RANGE, base=layout.base, form="duckdb")
        with pytest.raises(duckdb.Error, match=r"2025-10-20\.parquet"):
            relation.fetchall()


def test_just_the_files_of_the_symbol_and_range_are_named(two):
    found = selections.bars(two, ["SOLUSDT"], Window.parse("2025-10-21", "2025-10-22"), "1m").params
    assert [path.rsplit("/", 1)[1] for path in found["day_files"]] == ["2025-10-21.parquet"]
    assert {path.split("/")[-2] for path in found["hour_files"]} == {"day=21"}
    assert all("SOLUSDT" in path for path in found["day_files"] + found["hour_files"])
