"""Macro minutes against the rules: the market's hours decide what is missing; planted violations are found exactly."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from expectations.validate import validate
from lake.errors import BadInputError
from lake.schemas import MACRO
from lake.windows import Window
from tests.expectations.small import LATER, counts, plant, rows_of, write_as_is

OPEN = datetime(2025, 10, 20, 13, 30, tzinfo=UTC)  # 09:30 New York, a Monday
DAY = Window.of_day(OPEN.date())
SESSION = 390
NAN = float("nan")
WHERE = [[0], [SESSION - 1], [100, 101], list(range(SESSION))]
ROW_RULES = [
    ("R0", {"symbol": "QQQ"}),
    ("R1", {"high": 99.9, "low": 99.5}),
    ("R2", {"low": -1.0}),
    ("R4", {"close": None}),
    ("R4", {"open": NAN}),
]


def minutes(count=SESSION, start=OPEN, ticker="SPY"):
    return [
        {"symbol": ticker, "ts": start + timedelta(minutes=index), "open": 100.0, "high": 101.0, "low": 99.0,
         "close": 100.0, "volume": 5.0}
        for index in range(count)
    ]  # fmt: skip


def write(layout, rows, ticker="SPY"):
    kinds = pa.schema([pa.field(c.name, c.type) for c in MACRO.columns])
    named = [{"ticker" if key == "symbol" else key: value for key, value in row.items()} for row in rows]
    write_as_is(layout.macro_file(ticker, DAY.start.date()), pa.Table.from_pylist(named, kinds))


def validated(layout, tickers=("SPY",), window=DAY, **more):
    return validate(layout, tickers, window, source="macro", **{"now": LATER, **more})


def at(index):
    return (OPEN + timedelta(minutes=index)).isoformat().replace("+00:00", "Z")


def test_a_whole_session_passes_and_closed_hours_are_not_missed(layout):
    write(layout, minutes())
    outcome = validated(layout)
    assert (outcome.verdict, counts(outcome), outcome.rows, outcome.days[0].expected) == ("PASS", {}, SESSION, SESSION)
    assert {r.rule: r.checked for r in outcome.rules} == {
        **dict.fromkeys(("R0", "R1", "R2", "R4", "R5"), SESSION), "M1": SESSION - 1,
    }  # fmt: skip
    assert "| SPY | 390 | 390 | 0 | 100.0000 % | ·············███████···· |" in outcome.report.read_text()


@pytest.mark.parametrize(("rule", "values"), ROW_RULES)
@pytest.mark.parametrize("where", WHERE)
def test_planted_rows_are_found_exactly(layout, rule, values, where):
    write(layout, plant(minutes(), where, **values))
    outcome = validated(layout)
    expected = {rule: len(where)} | ({"R5": len(where)} if rule == "R0" else {})
    assert (counts(outcome), outcome.verdict) == (expected, "FAIL")
    assert [row["window_start"] for row in rows_of(outcome, rule)] == [at(index) for index in where][:25]


@pytest.mark.parametrize("gone", [[0], [SESSION - 1], [5, 6, 100], list(range(1, SESSION))])
def test_open_minutes_that_are_missing_are_investigated(layout, gone):
    write(layout, [row for index, row in enumerate(minutes()) if index not in gone])
    outcome = validated(layout)
    assert (counts(outcome), outcome.verdict) == ({"R5": len(gone)}, "INVESTIGATE")
    assert rows_of(outcome, "R5")[0]["window_start"] == at(gone[0])


def test_futures_and_currencies_have_minutes_only_where_there_was_a_price(layout):
    for ticker in ("ES=F", "EURUSD=X"):
        write(layout, minutes(3, ticker=ticker), ticker)
    outcome = validated(layout, ("ES=F", "EURUSD=X"))
    assert (outcome.verdict, [day.expected for day in outcome.days]) == ("PASS", [0, 0])
    assert all(day.page.is_file() for day in outcome.days)


def test_a_minute_that_has_not_ended_is_not_missed(layout):
    write(layout, minutes(100))
    assert validated(layout, now=OPEN + timedelta(minutes=100, seconds=59)).verdict == "PASS"
    assert counts(validated(layout, now=OPEN + timedelta(minutes=101))) == {"R5": 1}


@pytest.mark.parametrize(("close", "count"), [(101.9, 0), (103.0, 2), (97.0, 2)])
@pytest.mark.parametrize("where", [1, 200])
def test_a_jump_and_the_way_back_are_two_violations(layout, close, count, where):
    write(layout, plant(minutes(), [where], close=close, high=max(close, 101.0), low=min(close, 99.0)))
    outcome = validated(layout)
    assert counts(outcome) == ({"M1": count} if count else {})
    assert outcome.verdict == ("INVESTIGATE" if count else "PASS")
    assert [row["window_start"] for row in rows_of(outcome, "M1")] == [at(where), at(where + 1)][:count]


@pytest.mark.parametrize(("apart", "count"), [(5, 1), (6, 0)])
def test_a_price_after_a_pause_has_not_jumped(layout, apart, count):
    rows = minutes(2, ticker="ES=F")
    rows[1] |= {"ts": OPEN + timedelta(minutes=apart), "close": 110.0, "high": 110.0}
    write(layout, rows, "ES=F")
    assert counts(validated(layout, ("ES=F",))).get("M1", 0) == count


def test_prices_that_are_none_are_no_jump(layout):
    write(layout, plant(minutes(), [7], close=0.0, low=0.0))
    assert counts(validated(layout)) == {"R2": 1}


def test_duplicates_and_minutes_off_the_grid_fail(layout):
    rows = minutes()
    rows += [dict(rows[7])]
    rows[9]["ts"] += timedelta(seconds=1)
    write(layout, rows)
    outcome = validated(layout)
    assert (counts(outcome), outcome.verdict) == ({"R5": 3}, "FAIL")


def test_nothing_at_all_fails(layout):
    outcome = validated(layout)
    assert (outcome.verdict, counts(outcome)) == ("FAIL", {"R5": SESSION})


def test_symbols_are_tickers_here(layout):
    with pytest.raises(BadInputError, match="ticker"):
        validated(layout, ("../etc",))
    with pytest.raises(BadInputError, match="macro have 1m"):
        validated(layout, tf="1s")
