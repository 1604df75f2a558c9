"""The archive's paths: which file a path names, what span it holds, in what unit, and from when on it is there.

Facts: the public-data readme. Days appear the next day, months on the first Monday after their end; spot files are
in microseconds from 2025-01-01, all others in milliseconds; a month's interval is ``1mo`` there and ``1M`` in REST.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from simulator.candles import INTERVALS, next_time
from simulator.spine import DAY_US

MICROSECONDS_FROM_US = 1_735_689_600_000_000
"""2025-01-01."""
_PUBLISHED_US = DAY_US // 3
"""Eight hours after midnight UTC."""
_KINDS = {
    ("spot", "daily"): ("klines", "trades", "aggTrades"),
    ("spot", "monthly"): ("klines", "trades", "aggTrades"),
    ("futures/um", "daily"): ("metrics",),
    ("futures/um", "monthly"): ("fundingRate",),
}
_MONTHLY_ONLY = ("3d", "1w", "1M")
_PATH = re.compile(r"/data/(spot|futures/um)/(daily|monthly)/(\w+)/([^/]+)/(?:([^/]+)/)?([^/]+)")
_DATE = {"daily": re.compile(r"\d{4}-\d\d-\d\d"), "monthly": re.compile(r"\d{4}-\d\d")}


@dataclass(frozen=True)
class ZipName:
    """A file of the archive.

    Attributes:
        kind: ``klines``, ``trades``, ``aggTrades``, ``metrics`` or ``fundingRate``.
        freq: ``daily`` or ``monthly``.
        symbol: The pair.
        interval: As REST names it; empty but for klines.
        stem: The name without its ending, such as ``SOLUSDT-1m-2024-03-01``.
        from_us: The span's start, µs since 1970 UTC; ``to_us`` its end, exclusive.
    """

    kind: str
    freq: str
    symbol: str
    interval: str
    stem: str
    from_us: int
    to_us: int

    @property
    def unit_us(self) -> int:
        """Microseconds in the unit of the file's times."""
        spot = self.kind in ("klines", "trades", "aggTrades")
        return 1 if spot and self.from_us >= MICROSECONDS_FROM_US else 1000

    @property
    def published_us(self) -> int:
        """From when on the file is there; a month's last kline must have closed as well."""
        if self.freq == "daily":
            return self.to_us + _PUBLISHED_US
        monday = self.to_us + -_day(self.to_us).weekday() % 7 * DAY_US
        closed = self.to_us + (INTERVALS["3d"] if self.interval == "3d" else 0)
        return max(monday, closed) + _PUBLISHED_US


def read_path(path: str) -> ZipName | None:
    """Return the file that a decoded path ending in ``.zip`` names, or None where the archive has no such place."""
    match = _PATH.fullmatch(path)
    if not match:
        return None
    market, freq, kind, symbol, folder, file = match.groups()
    if kind not in _KINDS[market, freq] or (kind == "klines") != (folder is not None):
        return None
    interval = {"1mo": "1M", "1M": "", None: ""}.get(folder, folder)
    if kind == "klines" and (interval not in INTERVALS or (freq == "daily" and interval in _MONTHLY_ONLY)):
        return None
    head = f"{symbol}-{folder or kind}-"
    text = file.removeprefix(head).removesuffix(".zip")
    if f"{head}{text}.zip" != file or not _DATE[freq].fullmatch(text):
        return None
    try:
        first = date.fromisoformat(text if freq == "daily" else f"{text}-01")
        from_us = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        return None
    to_us = from_us + DAY_US if freq == "daily" else next_time(from_us, "1M")
    return ZipName(kind, freq, symbol, interval or "", file.removesuffix(".zip"), from_us, to_us)


def _day(time_us: int) -> date:
    return date(1970, 1, 1) + timedelta(days=time_us // DAY_US)
