"""What is looked at, as one value that comes from the page's address and goes back into it. Pure; nothing is drawn."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lake.errors import BadInputError
from lake.intervals import starts_in
from lake.names import symbol as checked_symbol
from lake.names import ticker as checked_ticker
from lake.timeframes import SECONDS, Timeframe
from lake.windows import SECOND_US, Window, moment

PAGES = ("Chart", "Derivatives", "Macro", "Quality", "Health")
RANGES = {
    "15m": timedelta(minutes=15), "1h": timedelta(hours=1), "6h": timedelta(hours=6), "1d": timedelta(days=1),
    "7d": timedelta(days=7), "30d": timedelta(days=30), "1y": timedelta(days=365),
}  # fmt: skip
"""Quick ranges, which end with the newest bar."""
REFRESH = {"off": None, "15s": 15, "30s": 30, "1m": 60, "5m": 300}
MOST_POINTS = 3000
"""More than these no chart has, whatever the range."""
LONGEST = timedelta(days=MOST_POINTS)


@dataclass(frozen=True)
class View:
    """What is on the screen. ``start`` and ``end`` are given both or not at all; with them ``range`` does not count."""

    page: str = "Chart"
    symbol: str = ""
    versus: str = ""
    tf: Timeframe = "1m"
    range: str = "1h"
    start: str = ""
    end: str = ""
    ticker: str = ""
    refresh: str = "off"

    def params(self) -> dict[str, str]:
        """Return the address's query parameters: what differs from the defaults, and the symbol."""
        known = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.start or self.end:
            known["range"] = View.range
        return {name: value for name, value in known.items() if value != getattr(View, name)}


def parse(params: Mapping[str, str]) -> tuple[View, list[str]]:
    """Read a view out of an address. What it says wrongly stays at its default and is told, one line each."""
    view, wrong = View(), []
    for name, check in _CHECKS.items():
        if not (text := str(params.get(name, ""))):
            continue
        try:
            view = replace(view, **{name: check(text)})
        except BadInputError as error:
            wrong.append(" ".join(str(error).split()))
    try:
        typed(params.get("start", ""), params.get("end", ""))
        view = replace(view, start=str(params.get("start", "")).strip(), end=str(params.get("end", "")).strip())
    except BadInputError as error:
        wrong.append(" ".join(str(error).split()))
    return view, wrong


def typed(start: str, end: str) -> Window | None:
    """Return the seconds that begin in the range that somebody typed, or None where nothing is typed.

    Raises:
        BadInputError: one of the two is missing or no time, the end is not later, or the range is too short or too long
            to draw.
    """
    if not start.strip() and not end.strip():
        return None
    for name, text in (("start", start), ("end", end)):
        if not text.strip():
            raise BadInputError(f"{name} is missing: give both start and end, or neither")
    if (window := starts_in(Window.parse(start, end), "1s")) is None:
        raise BadInputError("no second begins between start and end: give a longer range")
    if window.end - window.start > LONGEST:
        raise BadInputError(f"start to end is longer than {MOST_POINTS:,} days: give a shorter range")
    return window


def window(view: View, first: datetime | None, newest: datetime) -> Window:
    """Return the stretch of time that a view shows, when the seconds that are held are from ``first`` to ``newest``.

    A quick range ends with the newest second, and does not begin before ``first``, where there is one; what is typed is
    as typed.
    """
    if found := typed(view.start, view.end):
        return found
    end = newest + timedelta(seconds=1)
    start = end - RANGES[view.range]
    return Window(max(first, start) if first else start, end)


def begun(window: Window, firsts: Iterable[datetime]) -> Window:
    """Return the window from the earliest of ``firsts`` on, or, where there is none, the window."""
    return Window(max(window.start, min(firsts, default=window.start)), window.end)


def coarse(tf: Timeframe, window: Window, most: int = MOST_POINTS) -> Timeframe:
    """Return the timeframe, or the next one that has no more than ``most`` bars in a window."""
    span = (window.end - window.start).total_seconds()
    wider = [name for name, seconds in SECONDS.items() if seconds >= SECONDS[tf]]
    return next((name for name in wider if span / SECONDS[name] + 1 <= most), wider[-1])


def with_a_bar(window: Window, tf: Timeframe) -> Window:
    """Return the window, or, where no bar of the timeframe begins in it, that of the bar which it lies in."""
    step = SECONDS[tf] * SECOND_US
    return window if starts_in(window, tf) else Window(moment(window.start_us // step * step), window.end)


def drawn(window: Window, tf: Timeframe) -> Window:
    """Return the window to the end of its last bar, so that the newest one, which is not over, is drawn whole."""
    step = SECONDS[tf] * SECOND_US
    return Window(window.start, moment(-(-window.end_us // step) * step))


def stretch(window: Window) -> int:
    """Return the seconds of a coverage timeline's stretches: some 240, of which each day has a whole number."""
    span = (window.end - window.start).total_seconds()
    return next((n for n in range(1, 86_400) if 86_400 % n == 0 and span <= 240 * n), 86_400)


def bucket(window: Window, least: int) -> int:
    """Return the seconds of a bucket, a multiple of ``least``, so that `MOST_POINTS` of them hold a window."""
    span = (window.end - window.start).total_seconds()
    return least * max(1, int(-(-span // ((MOST_POINTS - 1) * least))))


def minutes(window: Window) -> int:
    """Return the seconds of a bucket of whole minutes, as few as keep a window within `MOST_POINTS`."""
    return bucket(window, 60)


def hours(window: Window) -> int:
    """Return the seconds of a bucket of whole hours, as few as keep a window within `MOST_POINTS`."""
    return bucket(window, 3600)


def _one_of(name: str, known: Mapping[str, object] | tuple[str, ...]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in known:
            raise BadInputError(f"{name} {text[:40]!r}: expected one of {', '.join(known)}")
        return text

    return check


_CHECKS: dict[str, Callable[[str], str]] = {
    "page": _one_of("page", PAGES),
    "symbol": checked_symbol,
    "versus": checked_symbol,
    "tf": _one_of("tf", SECONDS),
    "range": _one_of("range", RANGES),
    "ticker": checked_ticker,
    "refresh": _one_of("refresh", REFRESH),
}
