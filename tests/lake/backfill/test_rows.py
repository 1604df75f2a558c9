"""Rows of the exchange judged one by one: what is a candle, of which window, and what is refused with which reason."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.errors import LakeError
from lake.intervals import INTERVALS, close_us, floors, opens
from lake.kline_rows import from_rest, off_grid
from lake.windows import micros

OPEN = 1735689600000  # 2025-01-01
MINUTE = 60_000


def row(minute=0, late=0, **fields):
    at = OPEN + minute * MINUTE + late
    found = [at, "1.5", "3", "1", "2", "10", at + MINUTE - 1, "15", 7, "5", "7.5", "0"]
    return [fields.get(f"f{number}", value) for number, value in enumerate(found)]


def judged(*rows, interval="1m"):
    return from_rest("SOLUSDT", interval, list(rows))


def held(found):
    """Minute of the window, and how many ms after it the candle opens where it has a time of its own."""
    times = found.table.select(["open_time", "exchange_open_time"]).to_pylist()
    return [
        (
            (micros(one["open_time"]) // 1000 - OPEN) // MINUTE,
            one["exchange_open_time"] and (micros(one["exchange_open_time"]) - micros(one["open_time"])) // 1000,
        )
        for one in times
    ]


def reasons(found):
    return [(one.row, one.reason) for one in found.refused]


@pytest.mark.parametrize(
    "odd",
    [
        {}, [], None, "abcdefghijkl", row()[:11], [*row(), "0"], row(f0=2**70), row(f0=None),
        row(f0=str(OPEN)), row(f1=1.5), row(f1=None), row(f1=""), row(f1="x"), row(f8=True), row(f8=None),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_as_documented_is_refused_in_a_line_and_never_taken_for_no_candle(odd):
    with pytest.raises(LakeError, match="klines of SOLUSDT"):
        judged(row(), odd)


REFUSED = [
    (row(1, f1="NaN"), "a field is not a finite number"),
    (row(1, f5="inf"), "a field is not a finite number"),
    (row(1, f3="-1"), "a price, volume or count is negative"),
    (row(1, f5="-1"), "a price, volume or count is negative"),
    (row(1, f8=-1), "a price, volume or count is negative"),
    (row(1, f2="0.5"), "its high is below its low"),
    (row(1, f6=OPEN + MINUTE), "it closes before it opens"),
    (row(1, f6=OPEN + 2 * MINUTE), "it is longer than its interval"),
    (row(1, f6=OPEN + 61 * MINUTE - 1), "it is longer than its interval"),
    (row(1, f6=0), "a time is of no plausible year, in milliseconds or microseconds"),
]


@pytest.mark.parametrize(("odd", "why"), REFUSED)
def test_a_row_that_cannot_be_a_candle_is_refused_alone_with_its_reason_and_its_window_is_not_known_empty(odd, why):
    found = judged(row(0), odd, row(2))
    assert held(found) == [(0, None), (2, None)]
    assert (reasons(found), found.refused[0].line) == ([(1, why)], json.dumps(odd))
    assert (found.unsettled.tolist(), found.dated) == ([1000 * (OPEN + MINUTE)], True)


@pytest.mark.parametrize("time", [0, OPEN // 1000, 2**62, -1, 20250101])
def test_a_row_of_no_plausible_year_is_refused_and_no_window_is_known_empty(time):
    found = judged(row(0), row(1, f0=time))
    assert (held(found), len(found.refused), found.dated, found.unsettled.tolist()) == ([(0, None)], 1, False, [])


def test_zero_is_a_price_as_the_exchange_published_it():
    zero = row(0, f1="0E-8", f2="0E-8", f3="0E-8", f4="0E-8", f5="0E-8", f8=0)
    assert held(judged(zero)) == [(0, None)]


def test_milliseconds_and_microseconds_are_told_apart_by_their_years_one_time_at_a_time():
    us = row(1, f0=(OPEN + MINUTE) * 1000, f6=(OPEN + 2 * MINUTE) * 1000 - 1)
    mixed = row(2, f6=(OPEN + 3 * MINUTE) * 1000 - 1)
    found = judged(row(0), us, mixed)
    assert (held(found), found.units) == ([(0, None), (1, None), (2, None)], {1, 1000})
    assert {time.microsecond for time in found.table["close_time"].to_pylist()} == {999_000}


def test_a_candle_off_the_grid_is_at_the_window_in_which_it_opens_with_its_own_time():
    found = judged(row(0), row(1, 14_789), row(2, 59_999), row(4))
    assert held(found) == [(0, None), (1, 14_789), (2, 59_999), (4, None)]
    assert off_grid(found.table) == 2
    assert micros(found.table["close_time"][1].as_py()) // 1000 == OPEN + 2 * MINUTE + 14_788


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_has_its_grid(interval):
    at = micros(datetime(2018, 2, 9, 9, 28, 14, 789_000, tzinfo=UTC))
    [window] = floors(interval, np.array([at])).tolist()
    assert window in opens(interval, window, window + 1)
    assert window <= at < close_us(interval, window)
    one = row(f0=at // 1000, f6=at // 1000 + 999)
    [candle] = judged(one, interval=interval).table.to_pylist()
    assert (micros(candle["open_time"]), micros(candle["exchange_open_time"])) == (window, at)


def test_of_two_candles_in_one_window_the_one_that_covers_more_of_it_is_taken_and_the_other_is_refused():
    cut = row(0, f6=OPEN + 14_788)  # the exchange stopped, and went on with another clock
    found = judged(cut, row(0, 14_789), row(1, 14_789))
    assert held(found) == [(0, 14_789), (1, 14_789)]
    assert reasons(found) == [(0, "another candle covers more of the same window of the grid")]
    found = judged(row(0), row(0, 30_000), row(1))
    assert held(found) == [(0, 0), (1, None)]  # marked, though it is on the grid: it is not alone in its window
    assert (reasons(found)[0][0], off_grid(found.table), found.unsettled.tolist()) == (1, 0, [])


def test_identical_rows_count_once_and_contradicting_ones_not_at_all():
    found = judged(row(0), row(1), row(1), row(1), row(2), row(2, f5="11"), row(2), row(3))
    assert (held(found), found.repeated) == ([(0, None), (1, None), (3, None)], 2)
    assert reasons(found) == [(at, "another row of the same open time contradicts it") for at in (4, 5, 6)]
    assert found.unsettled.tolist() == [1000 * (OPEN + 2 * MINUTE)]


def test_rows_out_of_order_are_put_in_order_and_that_is_noted():
    found = judged(row(2), row(0), row(1))
    assert (held(found), found.ordered) == ([(0, None), (1, None), (2, None)], False)
    assert judged(row(0), row(0), row(2)).ordered


def test_no_row_is_no_candle():
    found = judged()
    assert (len(found.table), found.refused, found.dated, found.ordered) == (0, (), True, True)


ROWS = st.lists(
    st.builds(
        row, st.integers(0, 5), st.sampled_from([0, 0, 0, 14_789, 30_000]),
        f5=st.sampled_from(["10", "10", "10", "11", "-1", "NaN"]),
    ),
    max_size=14,
)  # fmt: skip


@given(ROWS, st.randoms(use_true_random=False))
def test_every_row_is_taken_repeated_or_refused_whatever_their_order(rows, random):
    found = judged(*rows)
    assert len(found.table) + found.repeated + len(found.refused) == len(rows)
    assert found.opens.tolist() == sorted(set(found.opens.tolist()))
    again = judged(*random.sample(rows, len(rows)))
    assert again.table.equals(found.table)
    assert sorted(one.line for one in again.refused) == sorted(one.line for one in found.refused)
    windows = {1000 * (one[0] // MINUTE * MINUTE) for one in rows}
    assert windows == set(found.opens.tolist()) | set(found.unsettled.tolist())
