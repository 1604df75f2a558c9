"""Each rule finds what was planted, and nothing else: counts, rows, verdict."""

from datetime import timedelta

import pyarrow as pa
import pytest

from expectations import limits
from lake.errors import LakeError
from tests.expectations.small import (
    SOL,
    START,
    at,
    bars,
    check,
    counts,
    next_id,
    plant,
    rows_of,
    table,
    write_as_is,
    write_hours,
)

NAN, INF = float("nan"), float("inf")
SECONDS = 600
LAST = SECONDS - 1

ROW_RULES = [
    ("R0", {"symbol": "SUIUSDT"}, "FAIL"),
    ("R0", {"symbol": None}, "FAIL"),
    ("R1", {"high": 99.9, "low": 99.5}, "FAIL"),
    ("R1", {"open": 98.0}, "FAIL"),
    ("R1", {"close": 102.0}, "FAIL"),
    ("R2", {"low": 0.0}, "FAIL"),
    ("R2", {"low": -1.0}, "FAIL"),
    ("R2", {"open": 0.0, "high": 0.0, "low": 0.0, "close": 0.0}, "FAIL"),
    ("R2", {"high": INF}, "FAIL"),
    ("R3", {"bid": 100.6, "ask": 100.5, "spread": 0.0}, "FAIL"),
    ("R4", {"open": None}, "FAIL"),
    ("R4", {"high": NAN, "low": NAN}, "FAIL"),
    ("R4", {"open": None, "high": None, "low": None, "close": None}, "FAIL"),
    ("R6", {"bid": 99.5, "ask": 100.5, "spread": -1.0}, "INVESTIGATE"),
    ("R6", {"bid": None, "ask": None, "spread": -1.0}, "INVESTIGATE"),
]


@pytest.mark.parametrize(("rule", "values", "verdict"), ROW_RULES)
@pytest.mark.parametrize("where", [[0], [LAST], [300], [3, 4, 10, 11, 12, 599], list(range(SECONDS))])
def test_planted_rows_are_found_exactly(layout, rule, values, verdict, where):
    write_hours(layout, plant(bars(SECONDS), where, **values))
    outcome = check(layout, SECONDS)
    expected = {rule: len(where)}
    if rule == "R0":  # a window that only a foreign row fills is missing
        expected["R5"] = len(where)
    found = counts(outcome)
    found.pop("R8", None) if rule == "R0" else None  # and the ids of its trades are not the symbol's
    assert found == expected
    assert outcome.verdict == verdict
    assert [row["window_start"] for row in rows_of(outcome, rule)] == [at(i) for i in where][: limits.TOP]


def test_clean_bars_pass_every_rule(layout):
    write_hours(layout, bars(SECONDS))
    outcome = check(layout, SECONDS)
    assert (outcome.verdict, counts(outcome), outcome.rows) == ("PASS", {}, SECONDS)
    quoted = sum(index % 7 != 3 for index in range(SECONDS))
    traded = sum(index % 5 != 4 for index in range(SECONDS))
    assert {rule.rule: rule.checked for rule in outcome.rules} == {
        **dict.fromkeys(("R0", "R1", "R2", "R4", "R5"), SECONDS),
        "R3": quoted,
        "R6": quoted,
        "R7": 0,
        "R8": traded,
    }


def test_no_rows_at_all_fails(layout):
    outcome = check(layout, SECONDS)
    assert (outcome.verdict, outcome.rows, counts(outcome)) == ("FAIL", 0, {"R5": SECONDS})


def test_a_window_wholly_in_the_future_fails_for_want_of_rows(layout):
    outcome = check(layout, SECONDS, now=START)
    assert (outcome.verdict, outcome.rows, counts(outcome), outcome.days) == ("FAIL", 0, {}, ())


@pytest.mark.parametrize(("count", "violations"), [(1, 0), (9, 0), (10, 10), (11, 11)])
def test_wide_spreads_count_from_one_in_a_thousand_rows_with_quotes(layout, count, violations):
    rows = [dict(row, bid=99.5, ask=100.5, spread=1.0) for row in bars(10_000)]
    write_hours(layout, plant(rows, range(0, 20 * count, 20), bid=50.0, ask=100.0, spread=50.0))
    outcome = check(layout, 10_000)
    assert counts(outcome) == ({"R6": violations} if violations else {})
    assert outcome.verdict == ("INVESTIGATE" if violations else "PASS")


@pytest.mark.parametrize(("ask", "wide"), [(102.49, 0), (102.5, 1000)])  # bid 97.5: a mid of 100 at the edge
def test_a_spread_of_five_percent_of_mid_is_wide(layout, ask, wide):
    write_hours(layout, [dict(row, bid=97.5, ask=ask, spread=ask - 97.5) for row in bars(1000)])
    assert counts(check(layout, 1000)).get("R6", 0) == wide


def test_the_share_of_wide_spreads_is_of_the_whole_validation(layout):
    noisy = plant(bars(1000), [0, 1], bid=50.0, ask=100.0, spread=50.0)
    write_hours(layout, noisy)
    write_hours(layout, bars(4000, symbol="SUIUSDT"), "SUIUSDT")
    assert counts(check(layout, 1000)) == {"R6": 2}
    assert "R6" not in counts(check(layout, 4000, symbols=(SOL, "SUIUSDT")))


def test_null_bids_are_not_checked_and_not_violations(layout):
    write_hours(layout, plant(bars(SECONDS), range(SECONDS), bid=None, spread=None))
    outcome = check(layout, SECONDS)
    assert outcome.verdict == "PASS"
    assert {rule.rule: rule.checked for rule in outcome.rules if rule.rule in ("R3", "R6")} == {"R3": 0, "R6": 0}


def test_each_duplicate_beyond_the_first_is_a_violation_and_no_hole_in_trade_ids(layout):
    rows = bars(SECONDS)
    write_hours(layout, rows + [rows[0]] + [rows[7]] * 3 + [rows[LAST]])
    outcome = check(layout, SECONDS)
    assert (counts(outcome), outcome.verdict) == ({"R5": 5}, "FAIL")
    assert [row["window_start"] for row in rows_of(outcome, "R5")] == [at(0), at(7), at(7), at(7), at(LAST)]
    assert {row["reason"] for row in rows_of(outcome, "R5")} == {"duplicate"}


def test_a_timestamp_off_the_grid_is_one_violation_and_its_window_is_missing(layout):
    rows = bars(SECONDS)
    rows[9]["window_start"] += timedelta(milliseconds=1)
    write_hours(layout, rows)
    outcome = check(layout, SECONDS)
    assert (counts(outcome), outcome.verdict) == ({"R5": 2}, "FAIL")


def test_a_null_timestamp_is_off_the_grid(layout):
    rows = bars(SECONDS)
    broken = table([*rows[:-1], dict(rows[-1], window_start=None)])
    write_as_is(layout.hour_file(SOL, START), broken)
    outcome = check(layout, SECONDS)
    assert (counts(outcome), outcome.verdict) == ({"R5": 2}, "FAIL")
    assert rows_of(outcome, "R5")[0]["window_start"] is None


def test_a_row_of_another_day_in_a_days_file_is_not_lost_without_a_word(layout):
    rows = bars(SECONDS)
    stray = dict(rows[-1], window_start=START + timedelta(days=3), first_trade_id=None, last_trade_id=None)
    write_as_is(layout.day_file(SOL, START.date()), table([*rows, stray]))
    outcome = check(layout, SECONDS)
    assert (counts(outcome), outcome.verdict) == ({"R5": 1}, "FAIL")


@pytest.mark.parametrize("gone", [[0], [LAST], [5, 6, 7, 100], list(range(1, SECONDS))])
def test_missing_windows_are_counted_one_by_one_and_named_as_holes(layout, gone):
    rows = [row for index, row in enumerate(bars(SECONDS)) if index not in gone]
    write_hours(layout, rows)
    outcome = check(layout, SECONDS)
    found = counts(outcome)
    assert (found["R5"], outcome.verdict) == (len(gone), "INVESTIGATE")
    assert sum(row["missing_windows"] for row in rows_of(outcome, "R5")) == len(gone)
    assert rows_of(outcome, "R5")[0]["window_start"] == at(gone[0])


def test_windows_that_have_not_ended_are_not_missed(layout):
    write_hours(layout, bars(300))
    half = START + timedelta(seconds=300, milliseconds=999)
    outcome = check(layout, SECONDS, now=half)
    assert (outcome.verdict, outcome.clipped_to is not None) == ("PASS", True)
    assert counts(check(layout, SECONDS, now=half + timedelta(milliseconds=1))) == {"R5": 1}


@pytest.mark.parametrize("off", [timedelta(milliseconds=1), timedelta(milliseconds=999)])
def test_a_window_that_began_before_the_start_is_not_missed(layout, off):
    write_hours(layout, bars(SECONDS)[1:])
    assert check(layout, SECONDS - 1, start=START + off).verdict == "PASS"


def test_bars_outside_the_window_are_not_looked_at(layout):
    write_hours(layout, plant(bars(SECONDS), [0, LAST], open=None))
    assert check(layout, SECONDS - 2, start=START + timedelta(seconds=1)).verdict == "PASS"


@pytest.mark.parametrize("where", [1, 301, LAST])
def test_the_row_after_a_hole_in_trade_ids_is_named_with_the_ids_that_are_missing(layout, where):
    rows = bars(SECONDS)
    where += where % 5 == 4  # a row with trades
    where = min(where, LAST - 1)
    for row in rows[where:]:
        if row["trade_count"]:
            row["first_trade_id"] += 7
            row["last_trade_id"] += 7
    write_hours(layout, rows)
    outcome = check(layout, SECONDS)
    assert (counts(outcome), outcome.verdict) == ({"R8": 1}, "INVESTIGATE")
    [row] = rows_of(outcome, "R8")
    assert (row["window_start"], row["missing_trades"]) == (at(where), 7)
    assert row["previous_last_trade_id"] == row["first_trade_id"] - 8


def test_trade_ids_that_go_back_do_not_run_on(layout):
    rows = bars(SECONDS)
    rows[300]["first_trade_id"] -= 1
    write_hours(layout, rows)
    assert counts(check(layout, SECONDS)) == {"R8": 1}


@pytest.mark.parametrize(("jump", "expected"), [(0, {}), (1, {"R8": 1})])
def test_trade_ids_run_on_across_midnight(layout, jump, expected):
    start = START.replace(hour=23, minute=55)
    before = bars(300, start)
    midnight = start + timedelta(seconds=300)
    write_hours(layout, before)
    write_as_is(layout.day_file(SOL, midnight.date()), table(bars(300, midnight, first_id=next_id(before) + jump)))
    for outcome in (check(layout, 600, start=start), check(layout, 300, start=midnight)):  # a hole is nobody's to skip
        assert counts(outcome) == expected
        assert [row["window_start"] for row in rows_of(outcome, "R8")] == [at(0, midnight)] * jump


def test_trade_ids_beyond_what_a_double_holds_are_compared_exactly(layout):
    rows = bars(SECONDS, first_id=2**53)
    for row in rows[300:]:
        if row["trade_count"]:
            row["first_trade_id"] += 1
            row["last_trade_id"] += 1
    write_hours(layout, rows)
    assert counts(check(layout, SECONDS)) == {"R8": 1}


def test_each_missing_or_mistyped_column_is_a_violation(layout):
    found = table(bars(SECONDS))
    found = found.drop_columns(["vwap"]).append_column("vwap_", found["vwap"])
    index = found.column_names.index("trade_count")
    found = found.set_column(index, "trade_count", found["trade_count"].cast(pa.int32()))
    write_as_is(layout.hour_file(SOL, START), found)
    outcome = check(layout, SECONDS)
    assert (counts(outcome), outcome.verdict) == ({"R0": 2}, "FAIL")
    odd = {row["column"]: (row["expected"], row["found"]) for row in rows_of(outcome, "R0")}
    assert odd == {"trade_count": ("int64", "int32"), "vwap": ("double", "missing")}


def test_a_missing_price_column_is_r0_once_and_r4_in_every_row(layout):
    write_as_is(layout.hour_file(SOL, START), table(bars(SECONDS)).drop_columns(["open"]))
    assert counts(check(layout, SECONDS)) == {"R0": 1, "R4": SECONDS}


def test_text_where_prices_belong_is_r0_and_r4(layout):
    found = table(bars(SECONDS))
    index = found.column_names.index("open")
    write_as_is(layout.hour_file(SOL, START), found.set_column(index, "open", pa.array(["?"] * SECONDS)))
    assert counts(check(layout, SECONDS)) == {"R0": 1, "R4": SECONDS}


def test_how_arrow_stores_text_is_no_mistyped_column(layout):
    found = table(bars(SECONDS))
    write_as_is(layout.hour_file(SOL, START), found.set_column(0, "symbol", found["symbol"].dictionary_encode()))
    assert check(layout, SECONDS).verdict == "PASS"


def test_an_hour_file_wins_over_its_hour_of_the_day_file(layout):
    write_as_is(layout.day_file(SOL, START.date()), table(plant(bars(SECONDS), [1], open=None)))
    assert check(layout, SECONDS).verdict == "FAIL"
    write_hours(layout, bars(SECONDS))
    assert check(layout, SECONDS).verdict == "PASS"


def test_quotes_below_zero_are_wide_and_stop_nothing(layout):
    write_hours(layout, plant(bars(60), [5], bid=-1.0, ask=-0.5, spread=0.5))
    outcome = check(layout, 60)
    assert (outcome.verdict, counts(outcome)) == ("INVESTIGATE", {"R6": 1})


def test_a_negative_spread_without_quotes_is_one_of_those_that_were_checked(layout):
    write_hours(layout, plant(bars(60), range(60), bid=None, ask=None, spread=-1.0))
    found = next(rule for rule in check(layout, 60).rules if rule.rule == "R6")
    assert (found.checked, found.violations, found.percent) == (60, 60, 100.0)


def test_a_symbol_that_is_no_text_names_its_file(layout):
    broken = pa.array([*[b"SOLUSDT"] * 9, b"\xff"])
    text = pa.Array.from_buffers(pa.string(), 10, broken.buffers())
    path = layout.hour_file(SOL, START)
    write_as_is(path, table(bars(10)).set_column(0, "symbol", text))
    with pytest.raises(LakeError, match="UTF8") as error:
        check(layout, 10)
    assert str(path) in str(error.value)
