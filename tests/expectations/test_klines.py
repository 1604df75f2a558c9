"""The official klines against the rules: planted violations are found exactly; what nobody could have is not missed."""

from datetime import timedelta

import pyarrow as pa
import pytest

from lake.errors import BadInputError
from lake.history import History
from lake.windows import SECOND_US, micros
from tests.expectations.candles import candle, table, write_candles
from tests.expectations.small import SOL, START, check, counts, plant, rows_of, write_as_is

COUNT = 300
STEP = {"1s": timedelta(seconds=1), "1m": timedelta(minutes=1)}
TFS = pytest.mark.parametrize("tf", ["1s", "1m"])
NAN, INF = float("nan"), float("inf")
WHERE = [[0], [COUNT - 1], [150], [3, 4, 10], list(range(COUNT))]
ROW_RULES = [
    ("R0", {"symbol": "SUIUSDT"}),
    ("R0", {"symbol": None}),
    ("R1", {"high": 99.9, "low": 99.5}),
    ("R1", {"close": 102.0}),
    ("R2", {"low": 0.0}),
    ("R2", {"high": INF}),
    ("R4", {"open": None}),
    ("R4", {"high": NAN, "low": NAN}),
    ("R4", {"open": None, "high": None, "low": None, "close": None}),
]


def candles(tf, count=COUNT):
    sums = {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume_base": 2.0, "volume_quote": 200.0,
            "trade_count": 2, "taker_buy_base": 0.0, "taker_buy_quote": 0.0}  # fmt: skip
    return [candle(START + index * STEP[tf], SOL, sums) for index in range(count)]


def write(layout, rows, tf):
    """Whatever the rows are, as one day's file."""
    write_as_is(layout.kline_file(SOL, START.date(), tf), rows if isinstance(rows, pa.Table) else table(rows))


def validated(layout, tf, count=COUNT, **more):
    return check(layout, int(count * STEP[tf].total_seconds()), tf=tf, source="klines", **more)


def at(tf, index):
    return (START + index * STEP[tf]).isoformat().replace("+00:00", "Z")


@TFS
def test_clean_klines_pass_every_rule_that_is_theirs(layout, tf):
    write(layout, candles(tf), tf)
    outcome = validated(layout, tf)
    assert (outcome.verdict, counts(outcome), outcome.rows) == ("PASS", {}, COUNT)
    assert {rule.rule: rule.checked for rule in outcome.rules} == dict.fromkeys(
        ("R0", "R1", "R2", "R4", "R5", "K1"), COUNT
    )
    assert outcome.report.name.startswith(f"validation_klines_{tf}_SOLUSDT")


@TFS
@pytest.mark.parametrize(("rule", "values"), ROW_RULES)
@pytest.mark.parametrize("where", WHERE)
def test_planted_rows_are_found_exactly(layout, tf, rule, values, where):
    write(layout, plant(candles(tf), where, **values), tf)
    outcome = validated(layout, tf)
    expected = {rule: len(where)} | ({"R5": len(where)} if rule == "R0" else {})  # only a foreign row fills its window
    assert (counts(outcome), outcome.verdict) == (expected, "FAIL")
    assert [row["window_start"] for row in rows_of(outcome, rule)] == [at(tf, index) for index in where][:25]


@TFS
@pytest.mark.parametrize("gone", [[0], [COUNT - 1], [5, 6, 7, 100], list(range(1, COUNT))])
def test_missing_candles_are_counted_and_named(layout, tf, gone):
    write(layout, [row for index, row in enumerate(candles(tf)) if index not in gone], tf)
    outcome = validated(layout, tf)
    assert (counts(outcome), outcome.verdict) == ({"R5": len(gone)}, "INVESTIGATE")
    assert rows_of(outcome, "R5")[0]["window_start"] == at(tf, gone[0])
    assert sum(row["missing_windows"] for row in rows_of(outcome, "R5")) == len(gone)


@TFS
def test_duplicates_and_candles_off_the_grid_fail(layout, tf):
    rows = candles(tf)
    rows += [dict(rows[7]), dict(rows[7])]
    rows[9] = dict(rows[9], open_time=rows[9]["open_time"] + timedelta(milliseconds=1))
    write(layout, rows, tf)
    outcome = validated(layout, tf)
    assert (counts(outcome), outcome.verdict) == ({"R5": 4}, "FAIL")
    reasons = [row["reason"] for row in rows_of(outcome, "R5") if "reason" in row]
    assert reasons == ["duplicate", "duplicate", "off the grid"]


@TFS
def test_a_candle_is_due_when_it_has_closed(layout, tf):
    write(layout, candles(tf, 100), tf)
    almost = START + 101 * STEP[tf] - timedelta(microseconds=1)
    outcome = validated(layout, tf, now=almost)
    assert (outcome.verdict, outcome.clipped_to is not None) == ("PASS", True)
    assert counts(validated(layout, tf, now=START + 101 * STEP[tf])) == {"R5": 1}


@TFS
def test_what_the_exchange_has_none_of_is_not_missing_but_counted_apart(layout, tf):
    step = int(STEP[tf].total_seconds()) * SECOND_US
    first = micros(START)
    with History(layout, SOL, tf) as history:
        history.put_first(first + 3 * step)
        history.put_holes([(first + 10 * step, first + 12 * step)], "rest")
        history.put_holes([(first, first + 3 * step), (first + 9 * step, first + 12 * step)], "archive")
    write(layout, [row for i, row in enumerate(candles(tf)) if i not in (0, 1, 2, 10, 11)], tf)
    outcome = validated(layout, tf)
    assert (outcome.verdict, outcome.days[0].absent, outcome.days[0].expected) == ("PASS", 5, COUNT - 5)
    write(layout, [row for i, row in enumerate(candles(tf)) if i not in (0, 1, 2, 10, 11, 12)], tf)
    [row] = rows_of(validated(layout, tf), "R5")
    assert (row["window_start"], row["missing_windows"]) == (at(tf, 12), 1)


@TFS
@pytest.mark.parametrize("asked", ["rest", "archive"])
def test_what_only_one_source_has_none_of_is_missing(layout, tf, asked):
    step, first = int(STEP[tf].total_seconds()) * SECOND_US, micros(START)
    with History(layout, SOL, tf) as history:
        if asked == "rest":
            history.put_first(first + 3 * step)
        history.put_holes([(first, first + 12 * step)], asked)
    write(layout, [row for i, row in enumerate(candles(tf)) if i not in (0, 1, 2, 10, 11)], tf)
    outcome = validated(layout, tf)
    assert (outcome.verdict, counts(outcome), outcome.days[0].absent) == ("INVESTIGATE", {"R5": 5}, 0)


@TFS
def test_a_candle_that_does_not_cover_its_own_window_alone_is_no_pass(layout, tf):
    rows = candles(tf)
    late = timedelta(milliseconds=789)
    for index in (5, 6):
        rows[index] |= {
            "exchange_open_time": rows[index]["open_time"] + late,
            "close_time": rows[index]["close_time"] + late,
        }
    rows[9]["exchange_open_time"] = rows[9]["open_time"]
    write(layout, rows, tf)
    outcome = validated(layout, tf)
    assert (outcome.verdict, counts(outcome)) == ("INVESTIGATE", {"K1": 3})
    found = [(row["window_start"], row["reason"]) for row in rows_of(outcome, "K1")]
    assert found == [
        (at(tf, 5), "off the grid"), (at(tf, 6), "off the grid"), (at(tf, 9), "another candle in the same window"),
    ]  # fmt: skip
    assert rows_of(outcome, "K1")[0]["exchange_open_time"] == at(tf, 5).replace("Z", ".789000Z")


@TFS
def test_a_file_of_an_earlier_version_has_every_column(layout, tf):
    write(layout, table(candles(tf)).drop_columns(["exchange_open_time"]), tf)
    assert validated(layout, tf).verdict == "PASS"


def test_validating_makes_no_history(layout):
    write(layout, candles("1m"), "1m")
    validated(layout, "1m")
    assert not layout.history.exists()


@TFS
def test_no_klines_at_all_fail(layout, tf):
    outcome = validated(layout, tf)
    assert (outcome.verdict, outcome.rows, counts(outcome)) == ("FAIL", 0, {"R5": COUNT})


@TFS
def test_a_range_wholly_in_the_future_fails_for_want_of_rows(layout, tf):
    outcome = validated(layout, tf, now=START)
    assert (outcome.verdict, outcome.rows, counts(outcome), outcome.days) == ("FAIL", 0, {}, ())


def test_each_missing_or_mistyped_column_is_a_violation_by_its_own_name(layout):
    found = table(candles("1m"))
    found = found.drop_columns(["close_time"])
    index = found.column_names.index("open_time")
    found = found.set_column(index, "open_time", found["open_time"].cast(pa.timestamp("ms", tz="UTC")))
    write(layout, found, "1m")
    outcome = validated(layout, "1m")
    assert (counts(outcome), outcome.verdict) == ({"R0": 2}, "FAIL")
    assert {row["column"]: row["found"] for row in rows_of(outcome, "R0")} == {
        "open_time": "timestamp[ms, tz=UTC]", "close_time": "missing",
    }  # fmt: skip


def test_klines_of_another_interval_are_not_looked_at(layout):
    write(layout, plant(candles("1s"), [3], open=None), "1s")
    write_candles(layout, candles("1m"))
    assert validated(layout, "1m").verdict == "PASS"


def test_klines_are_of_minutes_when_no_length_is_given(layout):
    write_candles(layout, candles("1m"))
    outcome = check(layout, 60 * COUNT, source="klines")
    assert (outcome.tf, outcome.verdict) == ("1m", "PASS")
    with pytest.raises(BadInputError, match="no window of 1m begins in it"):
        check(layout, 59, source="klines", start=START + timedelta(seconds=1))
