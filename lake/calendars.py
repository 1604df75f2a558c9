"""When a ticker's market is open, so that closed is not missing: from the exchanges' calendars, exact across DST.

========================  =====================================================================  ==================
ticker                    open                                                                   from
========================  =====================================================================  ==================
``SPY``, ``BRK-B``        09:30 to 16:00 New York; holidays, half days                           XNYS
``^GSPC`` and kin         the same                                                               XNYS
``ES=F``                  Globex: from 18:00 New York on the eve to 17:00; holidays, half days   CMES
``DX=F``, ``DX-Y.NYB``    ICE: from 20:00 New York on the eve to 17:00; holidays, half days      IEPA
``EURUSD=X``              Sunday 17:00 to Friday 17:00 New York, without holidays                the market's custom
``BTC-USD``               always                                                                 the market's custom
========================  =====================================================================  ==================

Of any other (``VOD.L``, ``^FTSE``) it is not known. Every ``=F`` counts as Globex; grains and softs trade less, which
is one reason why a minute of a future without a price is not called missing (`is_exact`).
"""

import re
import warnings
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo

from lake.windows import DAY, MINUTE_US, Window

NEW_YORK = ZoneInfo("America/New_York")
_STOCK = re.compile(r"[A-Z]{1,5}(-[A-Z]{1,2})?")
_CRYPTO = re.compile(r"[A-Z0-9]{1,12}-(USD|EUR|GBP|JPY|CAD|AUD|USDT|BTC)")
_INDICES = {"^GSPC", "^DJI", "^IXIC", "^NDX", "^RUT", "^NYA", "^SP500TR"}
_FIVE = time(17)


class Market(Enum):
    """Whose hours a ticker keeps; the value is exchange-calendars' name of it, where it has one."""

    NEW_YORK = "XNYS"
    GLOBEX = "CMES"
    ICE = "IEPA"
    FX = "fx"
    ALWAYS = "always"


def market(ticker: str) -> Market | None:
    """Return the market of a ticker by Yahoo's way of naming, or None where its hours are not known."""
    if ticker in ("DX=F", "DX-Y.NYB"):
        return Market.ICE
    if ticker.endswith(("=F", "=X")):
        return Market.GLOBEX if ticker.endswith("=F") else Market.FX
    if _CRYPTO.fullmatch(ticker):
        return Market.ALWAYS
    return Market.NEW_YORK if ticker in _INDICES or _STOCK.fullmatch(ticker) else None


def around_the_clock(ticker: str) -> bool:
    """Whether a ticker has no regular session with hours before and after it: futures, currencies, crypto."""
    return market(ticker) not in (Market.NEW_YORK, None)


def is_exact(ticker: str) -> bool:
    """Whether every open minute ought to have a bar. Futures and currencies have one only where there was a price."""
    return market(ticker) is Market.NEW_YORK


def open_windows(ticker: str, window: Window) -> list[Window] | None:
    """Return when the market was open in a window, in order, or None where its hours are not known."""
    kind = market(ticker)
    if kind is None:
        return None
    if kind is Market.ALWAYS:
        return [window]
    sessions = _fx_weeks(window) if kind is Market.FX else _sessions(kind, window)
    return [clipped for session in sessions if (clipped := session.clip(window))]


def open_minutes(ticker: str, window: Window) -> list[int] | None:
    """Return the start of each minute wholly in a window in which the market was open, in µs since 1970 UTC, in order.

    None where the market's hours are not known.
    """
    windows = open_windows(ticker, window)
    if windows is None:
        return None
    return [
        minute
        for each in windows
        for minute in range(-(-each.start_us // MINUTE_US) * MINUTE_US, each.end_us - MINUTE_US + 1, MINUTE_US)
    ]


def closed_since(ticker: str, now: datetime) -> datetime | None:
    """Return when the market closed last, or None where it is open, or not known to be closed, at ``now``."""
    windows = open_windows(ticker, Window(now - 10 * DAY, now + timedelta(microseconds=1)))
    if not windows or windows[-1].end > now:
        return None
    return windows[-1].end


def _sessions(kind: Market, window: Window) -> list[Window]:
    """A session is named after the day it ends on; one of January can begin in December."""
    years = range(window.start.year, (window.end + DAY).year + 1)
    return [session for year in years for session in _year(kind, year)]


@lru_cache(maxsize=32)
def _year(kind: Market, year: int) -> tuple[Window, ...]:
    """A year of an exchange, 0.2 s to make; a calendar without bounds would be of 20 years and end next year."""
    import exchange_calendars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' about exchange-calendars
        calendar = exchange_calendars.get_calendar(kind.value, start=f"{year}-01-01", end=f"{year}-12-31")
        times = calendar.schedule[["open", "close"]]
    found = []
    for day, opened, closed in zip(times.index, times["open"], times["close"], strict=True):
        end = closed.to_pydatetime().astimezone(UTC)
        if kind is not Market.NEW_YORK:  # both calendars leave out the hour before the next session, or part of it
            end = min(end, _new_york(day.date(), _FIVE))
        found.append(Window(opened.to_pydatetime().astimezone(UTC), end))
    return tuple(found)


def _fx_weeks(window: Window) -> list[Window]:
    sunday = window.start.date() - timedelta(days=(window.start.weekday() + 1) % 7)
    weeks = []
    while sunday <= window.end.date():
        weeks.append(Window(_new_york(sunday, _FIVE), _new_york(sunday + timedelta(days=5), _FIVE)))
        sunday += timedelta(days=7)
    return weeks


def _new_york(day: date, at: time) -> datetime:
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)
