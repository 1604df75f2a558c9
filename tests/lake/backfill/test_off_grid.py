"""Candles that open off their interval's grid: at the window in which they open, with their own time, and counted."""

import pytest

from lake.windows import MINUTE_US, micros, parse_time
from tests.lake.backfill.exchange import KLINES

LATE_MS = 14_789
FROM, TO = "2025-01-02T03:00:00Z", "2025-01-02T05:00:00Z"


def us(text):
    return micros(parse_time(text))


def shift(exchange, start=FROM, end=TO, late_ms=LATE_MS):
    exchange.sim.fault("off_grid", from_us=us(start), to_us=us(end), later_ms=late_ms)


@pytest.mark.parametrize("source", ["rest", "archive", "auto"])
def test_candles_off_the_grid_are_kept_from_every_source_and_counted(later, source):
    shift(later)
    done = later.run("2025-01-02", "2025-01-03", source=source)
    assert (done.added, done.off_grid, done.absent, done.left, done.rows, done.quarantined) == (1440, 120, 0, 0, 0, 0)
    windows = [us(FROM) // 1000 + 60_000 * minute for minute in range(120)]
    assert later.off_grid() == [(window, window + LATE_MS) for window in windows]
    late = [
        (*row[:6], row[6] + LATE_MS, *row[7:]) if row[0] in windows else row
        for row in later.truth("2025-01-02", "2025-01-03")
    ]
    assert later.held() == late
    asked = later.count(KLINES)
    assert later.run("2025-01-02", "2025-01-03", source=source).added == 0
    assert asked() == 0


@pytest.mark.parametrize("interval", ["1s", "3m", "1h", "1d", "3d", "1w", "1M"])
@pytest.mark.parametrize("source", ["rest", "archive"])
def test_every_interval_keeps_its_candles_off_the_grid(later, interval, source):
    start, end = ("2025-01-02", "2025-01-02T01:00:00Z") if interval == "1s" else ("2024-12-15", "2025-01-01")
    windows = [row[0] for row in later.truth(start, end, interval=interval)]
    shift(later, start, end, 789 if interval == "1s" else LATE_MS)
    done = later.run(start, end, interval=interval, source=source)
    assert [row[0] for row in later.held(interval=interval)] == windows
    assert (done.added, done.off_grid, done.rows) == (len(windows), len(windows), 0)


def test_a_candle_off_the_grid_that_is_still_open_is_not_stored(exchange):
    """The window 12:29 is over at 12:30:30, the candle that opens in it at 12:29:45 is not."""
    shift(exchange, "2025-01-04T12:00:00Z", "2025-01-04T12:30:00Z", 45_000)
    done = exchange.run("2025-01-04T12:00:00Z", "2025-01-04T12:31:00Z", source="rest")
    assert (done.added, done.off_grid, done.left, done.absent) == (29, 29, 1, 0)


@pytest.mark.parametrize("source", ["rest", "archive"])
def test_of_two_candles_in_a_window_one_is_kept_and_marked_and_the_other_is_in_the_quarantine(later, source):
    """The candle of 03:00 opens at 03:01:14.789, beside that of 03:01."""
    shift(later, FROM, "2025-01-02T03:01:00Z", 60_000 + LATE_MS)
    done = later.run("2025-01-02", "2025-01-03", source=source)
    window = us(FROM) // 1000 + 60_000
    assert (done.added, done.off_grid, done.rows) == (1439, 0, 1)
    assert later.off_grid() == [(window, window)]
    assert later.held() == [row for row in later.truth("2025-01-02", "2025-01-03") if row[0] != window - 60_000]
    [kept] = (later.layout.quarantine / ("rest" if source == "rest" else "archive")).iterdir()
    assert "another candle covers more of the same window" in kept.read_text(encoding="utf-8")


def test_a_second_candle_in_the_last_window_of_a_full_answer_is_not_overlooked(later):
    """An answer has 1,000 candles at most: the 1,000th ends early, and another opens in its window."""
    start = us("2025-01-02")
    last = start + 999 * MINUTE_US
    later.sim.fault("off_grid", from_us=last + MINUTE_US, to_us=last + 2 * MINUTE_US, later_ms=1)
    shift(later, "2025-01-02T16:39:00Z", "2025-01-02T16:40:00Z", 30_000)
    done = later.run("2025-01-02", "2025-01-03", source="rest")
    assert (done.added, done.off_grid, done.left) == (1440, 2, 0)
    window = last // 1000
    assert later.off_grid() == [(window, window + 30_000), (window + 60_000, window + 60_001)]
