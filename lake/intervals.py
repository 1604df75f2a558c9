"""The exchange's kline intervals: their grids of open times, and spans of candles on them.

Source: rest-api.md, "Kline/Candlestick chart intervals". Days and longer open at UTC midnight, weeks on Mondays, three
days every third day since 1970, months on their first day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from lake.ranges import Range, joined
from lake.windows import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Window, micros, moment

Interval = Literal[
    "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"
]  # fmt: skip
INTERVALS: tuple[Interval, ...] = get_args(Interval)
Opens = npt.NDArray[np.int64]
"""Open times in microseconds since 1970 UTC, ascending."""
_UNITS = {"s": SECOND_US, "m": MINUTE_US, "h": HOUR_US, "d": DAY_US, "w": 7 * DAY_US}
_MONDAY_US = 4 * DAY_US
"""1970-01-05."""


@dataclass(frozen=True, order=True)
class Span:
    """Candles that follow each other: the open times of the first and last, and how many there are."""

    first_us: int
    last_us: int
    count: int


def opens(interval: Interval, start_us: int, end_us: int) -> Opens:
    """Return the open times of an interval's candles with ``start_us <= open < end_us``."""
    if interval == "1M":
        return np.array(list(_months(start_us, end_us)), np.int64)
    first = _next_open(interval, start_us)
    return np.arange(first, max(end_us, first), _step(interval), dtype=np.int64)


def starts_in(window: Window, interval: Interval) -> Window | None:
    """Return the whole stretch of the bars or candles that begin in a window, or None where none begins there.

    The window may lie off the grid: of ``10:00:30`` to ``10:59:59`` the minutes are those from 10:01 to 11:00, as the
    last one begins at 10:59. The stretch ends where the last of them does, which may be after the window's end.
    """
    first, end = _next_open(interval, window.start_us), _next_open(interval, window.end_us)
    return Window(moment(first), moment(end)) if first < end else None


def close_us(interval: Interval, open_us: int) -> int:
    """Return the first microsecond after the candle that opens at ``open_us``."""
    if interval == "1M":
        return micros(_next_month(moment(open_us)))
    return open_us + _step(interval)


def floors(interval: Interval, times: Opens) -> Opens:
    """Return the open time on the interval's grid of the window in which each moment lies (µs), in the order given."""
    if interval == "1M":
        months: Opens = times.astype("datetime64[us]").astype("datetime64[M]").astype("datetime64[us]").astype(np.int64)
        return months
    step, origin = _step(interval), _MONDAY_US if interval == "1w" else 0
    found: Opens = (times - origin) // step * step + origin
    return found


def ends(interval: Interval, opened: Opens) -> Opens:
    """Return the first microsecond after each window of the grid."""
    return floors(interval, opened + 32 * DAY_US) if interval == "1M" else opened + _step(interval)


def closed(interval: Interval, window: Window, now_us: int) -> Opens:
    """Return the open times in a window of the candles that are over at ``now_us``."""
    found = opens(interval, window.start_us, min(window.end_us, now_us))
    while len(found) and close_us(interval, int(found[-1])) > now_us:
        found = found[:-1]
    return found


def per_day(interval: Interval) -> float:
    """Return how many candles open on a day, on average."""
    return DAY_US / (30.44 * DAY_US if interval == "1M" else _step(interval))


def spans(interval: Interval, wanted: Opens) -> list[Span]:
    """Join open times that follow each other without a gap."""
    if not len(wanted):
        return []
    if interval == "1M":
        after = np.array([close_us(interval, int(us)) for us in wanted[:-1]], np.int64)
    else:
        after = wanted[:-1] + _step(interval)
    cuts = np.flatnonzero(wanted[1:] != after) + 1
    pairs = pairwise([0, *cuts.tolist(), len(wanted)])
    return [Span(int(wanted[low]), int(wanted[high - 1]), high - low) for low, high in pairs]


def chunks(interval: Interval, span: Span, most: int) -> list[Span]:
    """Cut a span into pieces of at most ``most`` candles."""
    times = opens(interval, span.first_us, span.last_us + 1)
    return [
        Span(int(times[low]), int(times[min(low + most, len(times)) - 1]), min(most, len(times) - low))
        for low in range(0, len(times), most)
    ]


def by_day(times: Opens) -> list[tuple[date, Opens]]:
    """Return ascending times by the UTC day in which they lie, each day once, in order."""
    numbers, first = np.unique(times // DAY_US, return_index=True)
    parts = np.split(times, first[1:]) if len(times) else []
    return [(moment(int(number) * DAY_US).date(), part) for number, part in zip(numbers, parts, strict=True)]


def among(times: Opens, ranges: Iterable[Range]) -> npt.NDArray[np.bool_]:
    """Return which open times lie in one of some half-open ranges."""
    known = np.array(joined(ranges), np.int64).reshape(-1, 2)
    at = np.searchsorted(known[:, 0], times, side="right") - 1
    inside: npt.NDArray[np.bool_] = (at >= 0) & (times < known[:, 1][at]) if len(known) else np.zeros(len(times), bool)
    return inside


def without(wanted: Opens, holes: Iterable[Range]) -> Opens:
    """Return the open times that lie in none of the half-open ranges ``holes``."""
    return wanted[~among(wanted, holes)]


def _next_open(interval: Interval, us: int) -> int:
    """The first open time at or after a moment."""
    if interval == "1M":
        return next(_months(us, us + 32 * DAY_US))
    step, origin = _step(interval), _MONDAY_US if interval == "1w" else 0
    return -((origin - us) // step) * step + origin


def _step(interval: Interval) -> int:
    return int(interval[:-1]) * _UNITS[interval[-1]]


def _months(start_us: int, end_us: int) -> Iterator[int]:
    at = moment(start_us).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if micros(at) < start_us:
        at = _next_month(at)
    while micros(at) < end_us:
        yield micros(at)
        at = _next_month(at)


def _next_month(at: datetime) -> datetime:
    return datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
