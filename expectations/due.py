"""Which windows of a symbol-day must be there by now: those that have ended, less those that nobody could have.

A candle is due when it has closed. What the exchange turned out not to have (its outages, what was before a listing;
`lake.history`) nobody can fetch, so it is not due: it is counted apart (``absent``). Of klines both sources, REST and
archive, must have been asked; a candle that only one of them does not have is due, and missing. Of a market with
hours, only open minutes are due, and only where every open minute ought to have a price (`lake.calendars.is_exact`).
"""

from datetime import datetime

import numpy as np
import numpy.typing as npt

from expectations.tables import STEP_US, Table
from lake import calendars
from lake.history import History
from lake.intervals import Interval, starts_in
from lake.layout import Layout
from lake.ranges import Range, gaps
from lake.windows import HOUR, Window, micros, moment


def ended(window: Window, tf: Interval, now: datetime) -> Window | None:
    """Return the stretch of the windows of a timeframe that begin in a stretch of time and have ended by ``now``."""
    found = starts_in(window, tf)
    over = moment(micros(now) // STEP_US[tf] * STEP_US[tf])
    return Window(found.start, min(found.end, over)) if found and found.start < over else None


def due(
    layout: Layout, table: Table, symbol: str, part: Window, tf: Interval, now: datetime
) -> tuple[list[Range], int]:  # fmt: skip
    """Return the ranges (µs, on the grid) whose windows must be there, and how many more are absent at the exchange."""
    seen = now - HOUR if table.name == "funding" else now  # a funding shows up seconds after it was paid
    span = ended(part, tf, seen)
    if span is None:
        return [], 0
    if table.name == "macro":
        return _open(symbol, span), 0
    absent = [] if table.name == "bars" else _absent(layout, table, symbol, tf)
    ranges = _on_grid(gaps(span.start_us, span.end_us, absent), STEP_US[tf])
    return ranges, (span.end_us - span.start_us) // STEP_US[tf] - len(windows(ranges, tf))


def windows(ranges: list[Range], tf: str) -> npt.NDArray[np.int64]:
    """Return the start of every window in some ranges, in µs."""
    return np.concatenate([np.empty(0, np.int64), *(np.arange(*one, STEP_US[tf], dtype=np.int64) for one in ranges)])


def among(wanted: npt.NDArray[np.int64], there: npt.NDArray[np.int64], tf: str) -> npt.NDArray[np.bool_]:
    """Return which of some windows are there; compared as numbers of windows, for which numpy has a table."""
    step = STEP_US[tf]
    return np.isin(wanted // step, there[there % step == 0] // step)


def _open(ticker: str, span: Window) -> list[Range]:
    if not calendars.is_exact(ticker):
        return []
    found = (starts_in(session, "1m") for session in calendars.open_windows(ticker, span) or ())
    return [(one.start_us, one.end_us) for one in found if one]


def _absent(layout: Layout, table: Table, symbol: str, tf: str) -> list[Range]:
    if not layout.history.exists():  # to open it would make it
        return []
    if table.name == "klines":
        with History(layout, symbol, tf) as history:
            return history.absent()
    with History(layout, symbol, table.name) as history:
        return history.holes()


def _on_grid(ranges: list[Range], step: int) -> list[Range]:
    cut = ((-(-start // step) * step, -(-end // step) * step) for start, end in ranges)
    return [one for one in cut if one[0] < one[1]]
