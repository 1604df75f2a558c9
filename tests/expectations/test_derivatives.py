"""Fundings and open interest against the rules: planted violations are found exactly."""

from datetime import UTC, datetime, timedelta

import orjson
import pyarrow as pa
import pytest

from expectations.validate import validate
from lake.history import History
from lake.schemas import FUNDING, OPEN_INTEREST
from lake.windows import DAY_US, HOUR_US, Window, micros
from tests.expectations.small import LATER, SOL, counts, plant, rows_of, write_as_is

START = datetime(2025, 10, 20, tzinfo=UTC)
DAY = Window.of_day(START.date())
GRID = 288
NAN, INF = float("nan"), float("inf")
US = micros(START)
WEEK = (US - 3 * DAY_US, US + 4 * DAY_US)


def fundings(hours=8, first=-72, last=96):
    """Fundings of a week around the day, some milliseconds after the hour."""
    return [
        {"symbol": SOL, "funding_time": START + timedelta(hours=hour, milliseconds=3), "funding_rate": 1e-4,
         "mark_price": 100.0}
        for hour in range(first, last, hours)
    ]  # fmt: skip


def interests(count=GRID):
    return [
        {"symbol": SOL, "ts": START + timedelta(minutes=5 * index), "open_interest": 1e6, "open_interest_value": 1e8}
        for index in range(count)
    ]


def write(layout, paid=None, interest=None, whole=WEEK):
    paid, interest = fundings() if paid is None else paid, interests() if interest is None else interest
    noted = {b"proved_us": orjson.dumps([list(whole)] if whole else [])}
    found = pa.Table.from_pylist(paid, pa.schema([pa.field(c.name, c.type) for c in FUNDING.columns]))
    write_as_is(layout.funding_file(SOL, 2025), found.replace_schema_metadata(noted))
    found = pa.Table.from_pylist(interest, pa.schema([pa.field(c.name, c.type) for c in OPEN_INTEREST.columns]))
    write_as_is(layout.open_interest_file(SOL, START.date()), found)


def validated(layout, window=DAY, **more):
    return validate(layout, [SOL], window, source="derivatives", **{"now": LATER, **more})


@pytest.mark.parametrize(("hours", "count"), [(8, 3), (4, 6), (1, 24)])
def test_clean_derivatives_pass(layout, hours, count):
    write(layout, fundings(hours))
    outcome = validated(layout)
    assert (outcome.verdict, counts(outcome), outcome.rows) == ("PASS", {}, count + GRID)
    assert {r.rule: r.checked for r in outcome.rules} == {
        "R0": count + GRID, "R5": count + GRID, "D1": count, "D2": 2 * count, "D3": 2 * GRID,
    }  # fmt: skip
    assert [(day.table, day.rows, day.expected) for day in outcome.days] == [
        ("funding", count, 24), ("open_interest", GRID, GRID),
    ]  # fmt: skip
    assert all(day.page.is_file() for day in outcome.days)


INDEX = 9  # of the day's first funding
FUNDING_ROWS = [
    ("R0", {"symbol": "SUIUSDT"}, "FAIL"),
    ("D2", {"funding_rate": None}, "FAIL"),
    ("D2", {"funding_rate": NAN}, "FAIL"),
    ("D2", {"funding_rate": 0.031}, "INVESTIGATE"),
    ("D2", {"funding_rate": -INF}, "INVESTIGATE"),
    ("D2", {"mark_price": 0.0}, "INVESTIGATE"),
]


@pytest.mark.parametrize(("rule", "values", "verdict"), FUNDING_ROWS)
@pytest.mark.parametrize("where", [[INDEX], [INDEX + 2], [INDEX, INDEX + 1, INDEX + 2]])
def test_planted_fundings_are_found_exactly(layout, rule, values, verdict, where):
    write(layout, plant(fundings(), where, **values))
    outcome = validated(layout)
    found = {key: count for key, count in counts(outcome).items() if key != "D1" or rule != "R0"}
    assert (found, outcome.verdict) == ({rule: len(where)}, verdict)
    assert [row["window_start"] for row in rows_of(outcome, rule)] == [
        (START + timedelta(hours=8 * (index - INDEX), milliseconds=3)).isoformat().replace("+00:00", "Z")
        for index in where
    ]


def test_a_funding_of_the_archive_has_no_mark_price_and_passes(layout):
    write(layout, plant(fundings(), range(21), mark_price=None))
    assert validated(layout).verdict == "PASS"


@pytest.mark.parametrize("hours", [8, 4])
@pytest.mark.parametrize("gone", [0, 1])
def test_a_missing_funding_shows_at_the_one_after_it(layout, hours, gone):
    rows = fundings(hours)
    first = 72 // hours
    after = rows[first + gone + 1]["funding_time"]
    write(layout, [row for index, row in enumerate(rows) if index != first + gone])
    outcome = validated(layout)
    assert (counts(outcome), outcome.verdict) == ({"D1": 1}, "INVESTIGATE")
    [row] = rows_of(outcome, "D1")
    assert (row["window_start"], row["hours_since_the_one_before"]) == (
        after.isoformat().replace("+00:00", "Z"), 2 * hours,
    )  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [(8, 4), (4, 8), (8, 1), (1, 8)])
def test_another_interval_from_now_on_is_no_hole(layout, before, after):
    write(layout, fundings(before, last=8) + fundings(after, first=8))
    assert validated(layout).verdict == "PASS"


def test_hours_whose_fundings_are_not_known_to_be_held_are_missing(layout):
    write(layout, whole=(WEEK[0], US + 20 * HOUR_US))
    outcome = validated(layout)
    assert (counts(outcome), outcome.verdict) == ({"D1": 4}, "INVESTIGATE")
    [row] = rows_of(outcome, "D1")
    assert (row["window_start"], row["missing_windows"]) == ("2025-10-20T20:00:00Z", 4)


def test_two_fundings_of_an_hour_and_one_off_the_hour_fail(layout):
    rows = fundings()
    write(layout, [*rows, dict(rows[INDEX], funding_time=START + timedelta(milliseconds=9))])
    outcome = validated(layout)
    assert (counts(outcome), outcome.verdict) == ({"R5": 1}, "FAIL")
    write(layout, plant(rows, [INDEX], funding_time=START + timedelta(minutes=2)))
    assert counts(validated(layout)) == {"R5": 1}


@pytest.mark.parametrize("year", [2024, 2026])
def test_a_funding_in_another_years_file_is_counted_once(layout, year):
    stray = dict(fundings()[0], funding_time=datetime(year, 6, 1, 8, tzinfo=UTC))
    write(layout, [*fundings(), stray])
    outcome = validated(layout, Window(START, START + timedelta(days=2)))
    assert counts(outcome)["R5"] - GRID == 1  # the second day has no open interest
    assert outcome.verdict == "FAIL"


INTEREST_ROWS = [
    ("R0", {"symbol": None}, "FAIL"),
    ("D3", {"open_interest": None}, "FAIL"),
    ("D3", {"open_interest_value": NAN}, "FAIL"),
    ("D3", {"open_interest": 0.0}, "INVESTIGATE"),
    ("D3", {"open_interest_value": -1.0, "open_interest": INF}, "INVESTIGATE"),
]


@pytest.mark.parametrize(("rule", "values", "verdict"), INTEREST_ROWS)
@pytest.mark.parametrize("where", [[0], [GRID - 1], [5, 6], list(range(GRID))])
def test_planted_open_interest_is_found_exactly(layout, rule, values, verdict, where):
    write(layout, interest=plant(interests(), where, **values))
    outcome = validated(layout)
    expected = {rule: len(where)} | ({"R5": len(where)} if rule == "R0" else {})
    assert (counts(outcome), outcome.verdict) == (expected, verdict)


@pytest.mark.parametrize("gone", [[0], [GRID - 1], [5, 6, 100]])
def test_missing_open_interest_is_investigated_unless_the_exchange_has_none(layout, gone):
    write(layout, interest=[row for index, row in enumerate(interests()) if index not in gone])
    outcome = validated(layout)
    assert (counts(outcome), outcome.verdict) == ({"R5": len(gone)}, "INVESTIGATE")
    step = 300_000_000
    with History(layout, SOL, "open_interest") as history:
        history.put_holes((US + index * step, US + (index + 1) * step) for index in gone)
    assert validated(layout).verdict == "PASS"


def test_open_interest_off_its_grid_fails(layout):
    rows = interests()
    rows[7]["ts"] += timedelta(seconds=1)
    write(layout, interest=[*rows, dict(rows[9])])
    outcome = validated(layout)
    assert (counts(outcome), outcome.verdict) == ({"R5": 3}, "FAIL")


def test_what_cannot_be_there_yet_is_not_missed(layout):
    now = START + timedelta(hours=10, minutes=9)
    write(layout, fundings(last=10), interests(121), whole=(WEEK[0], US + 9 * HOUR_US))
    assert validated(layout, now=now).verdict == "PASS"
    assert counts(validated(layout, now=now + timedelta(minutes=1))) == {"R5": 1}


def test_nothing_at_all_fails(layout):
    outcome = validated(layout)
    assert (outcome.verdict, counts(outcome)) == ("FAIL", {"R5": GRID, "D1": 24})
