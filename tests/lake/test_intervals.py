"""The grids of open times, and what is cut from them."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.intervals import INTERVALS, chunks, close_us, closed, opens, spans, starts_in, without
from lake.windows import DAY_US, Window, iso, micros, moment

START, END = (micros(datetime(2025, month, 1, tzinfo=UTC)) for month in (1, 3))
times = st.integers(START, END)
intervals = st.sampled_from([name for name in INTERVALS if name != "1s"])


@pytest.mark.parametrize(
    ("interval", "first", "count"),
    [
        ("1m", "2025-01-30T00:00:00Z", 44_640), ("1h", "2025-01-30T00:00:00Z", 744), ("1d", "2025-01-30T00:00:00Z", 31),
        ("3d", "2025-01-30T00:00:00Z", 11), ("1w", "2025-02-03T00:00:00Z", 4), ("1M", "2025-02-01T00:00:00Z", 2),
    ],
)  # fmt: skip
def test_candles_open_where_the_exchanges_do(interval, first, count):
    window = Window.parse("2025-01-30", "2025-03-02")
    found = opens(interval, window.start_us, window.end_us)
    assert (iso(moment(int(found[0]))), len(found)) == (first, count)


@given(intervals, times, times, times)
def test_a_grid_does_not_depend_on_where_it_is_cut(interval, a, b, c):
    low, middle, high = sorted((a, b, c))
    parts = [opens(interval, low, middle), opens(interval, middle, high)]
    assert np.concatenate(parts).tolist() == opens(interval, low, high).tolist()


@given(intervals, times, times)
def test_each_candle_ends_where_the_next_opens(interval, a, b):
    found = opens(interval, *sorted((a, b))).tolist()
    assert [close_us(interval, us) for us in found[:-1]] == found[1:]


@given(intervals, times, st.integers(1, 60 * DAY_US))
def test_candles_that_begin_in_a_window_are_those_of_the_grid_each_to_its_end(interval, start, length):
    found = opens(interval, start, start + length).tolist()
    whole = starts_in(Window(moment(start), moment(start + length)), interval)
    expected = (found[0], close_us(interval, found[-1])) if found else None
    assert (whole and (whole.start_us, whole.end_us)) == expected


@given(intervals, times, st.integers(1, 60 * DAY_US), times)
def test_closed_are_just_those_that_end_by_now(interval, start, length, now):
    window = Window(moment(start), moment(start + length))
    every = opens(interval, window.start_us, window.end_us).tolist()
    assert closed(interval, window, now).tolist() == [us for us in every if close_us(interval, us) <= now]


@given(intervals, times, st.lists(st.booleans(), max_size=40), st.integers(1, 7))
def test_spans_and_chunks_say_the_same_open_times_again(interval, start, taken, most):
    every = opens(interval, start, start + 2000 * DAY_US)[: len(taken)]
    wanted = every[np.array(taken[: len(every)], bool)]
    found = spans(interval, wanted)
    said = [us for span in found for us in opens(interval, span.first_us, span.last_us + 1).tolist()]
    assert said == wanted.tolist()
    assert [span.count for span in found] == [len(opens(interval, s.first_us, s.last_us + 1)) for s in found]
    pieces = [piece for span in found for piece in chunks(interval, span, most)]
    assert all(piece.count <= most for piece in pieces)
    said = [us for piece in pieces for us in opens(interval, piece.first_us, piece.last_us + 1).tolist()]
    assert said == wanted.tolist()


def test_holes_are_half_open():
    assert without(np.array([1, 2, 3, 4]), [(2, 4)]).tolist() == [1, 4]
