"""The payload of Yahoo's chart endpoint: which tickers there are, and their made-up minutes."""

import math
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from lake.calendars import open_windows
from lake.windows import Window, moment

_MINUTE = 60
_SATURDAY = 5
_OPENS, _CLOSES = timedelta(hours=8), timedelta(hours=16, minutes=30)
"""Of the markets whose hours the lake does not know, from Monday to Friday, UTC."""


@dataclass(frozen=True)
class Kind:
    """What tickers of one kind have in common at Yahoo."""

    instrument: str
    exchange: str
    zone: str
    volume: int
    quiet: int
    """Of so many minutes one has no price, and comes as a row of nulls; 0 for none."""


ETF = Kind("ETF", "PCX", "America/New_York", 90_000, 0)
EQUITY = Kind("EQUITY", "NMS", "America/New_York", 60_000, 0)
INDEX = Kind("INDEX", "SNP", "America/New_York", 9_000_000, 0)
FUTURE = Kind("FUTURE", "CME", "America/New_York", 400, 23)
CURRENCY = Kind("CURRENCY", "CCY", "Europe/London", 0, 17)
CRYPTO = Kind("CRYPTOCURRENCY", "CCC", "UTC", 30, 0)
MUMBAI = Kind("EQUITY", "NSI", "Asia/Kolkata", 40_000, 0)
VOLATILITY = Kind("INDEX", "WCB", "America/Chicago", 0, 0)

TICKERS: dict[str, tuple[Kind, float, str]] = {
    "SPY": (ETF, 670.0, "USD"), "UUP": (ETF, 28.0, "USD"), "QQQ": (ETF, 600.0, "USD"), "GLD": (ETF, 380.0, "USD"),
    "AAPL": (EQUITY, 270.0, "USD"), "^GSPC": (INDEX, 6700.0, "USD"), "^DJI": (INDEX, 47_000.0, "USD"),
    "ES=F": (FUTURE, 6720.0, "USD"), "NQ=F": (FUTURE, 24_000.0, "USD"), "GC=F": (FUTURE, 4000.0, "USD"),
    "CL=F": (FUTURE, 60.0, "USD"), "DX=F": (FUTURE, 99.5, "USD"), "DX-Y.NYB": (FUTURE, 99.4, "USD"),
    "EURUSD=X": (CURRENCY, 1.16, "USD"), "GBPUSD=X": (CURRENCY, 1.31, "USD"), "USDJPY=X": (CURRENCY, 155.0, "JPY"),
    "USDCAD=X": (CURRENCY, 1.41, "CAD"), "USDCHF=X": (CURRENCY, 0.80, "CHF"), "USDSEK=X": (CURRENCY, 9.5, "SEK"),
    "USDGBP=X": (CURRENCY, 0.76, "GBP"), "BTC-USD": (CRYPTO, 95_000.0, "USD"), "M&M.NS": (MUMBAI, 3400.0, "INR"),
    "^VIX": (VOLATILITY, 17.0, "USD"),
}  # fmt: skip
"""Ticker: kind, price about which it moves, currency."""


def payload(
    ticker: str, seed: int, start: int, end: int, now_us: int, interval: str, with_prepost: bool
) -> dict[str, Any]:
    """Return the answer about ``start <= t < end`` (seconds since 1970 UTC) as Yahoo writes it at ``now_us``.

    Daily data has no rows: yfinance asks for a day of it only to learn the exchange's zone.
    """
    kind, _, currency = TICKERS[ticker]
    until = min(end, now_us // 1_000_000)
    windows = _windows(ticker, start, until) if interval == "1m" and until > start else []
    stamps = [
        stamp for window in windows for stamp in range(_whole(window.start), math.ceil(window.end.timestamp()), _MINUTE)
    ]
    rows = [_row(ticker, seed, stamp, now_us) for stamp in stamps]
    zone = ZoneInfo(kind.zone)
    here = datetime.fromtimestamp(now_us // 1_000_000, UTC).astimezone(zone)
    offset = int((here.utcoffset() or (here - here)).total_seconds())
    place = {"timezone": here.tzname(), "gmtoffset": offset}
    periods = [{**place, "start": a, "end": b} for a, b in _periods(kind, windows)]
    last = periods[-1] if periods else {**place, "start": start, "end": start}
    around = {"pre": last | {"end": last["start"]}, "regular": last, "post": last | {"start": last["end"]}}
    meta = {
        "currency": currency, "symbol": ticker, "exchangeName": kind.exchange, "fullExchangeName": kind.exchange,
        "instrumentType": kind.instrument, "firstTradeDate": 728_317_800, "regularMarketTime": now_us // 1_000_000,
        "hasPrePostMarketData": kind.exchange in ("PCX", "NMS"), "gmtoffset": offset, "timezone": here.tzname(),
        "exchangeTimezoneName": kind.zone, "regularMarketPrice": next((r[3] for r in rows[::-1] if r[3]), None),
        "priceHint": 4 if kind is CURRENCY else 2, "currentTradingPeriod": around, "dataGranularity": interval,
        "range": "", "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }  # fmt: skip
    if periods:
        edges = {"pre": [[period | {"end": period["start"]}] for period in periods],
                 "post": [[period | {"start": period["end"]}] for period in periods]}  # fmt: skip
        regular = [[period] for period in periods]
        meta["tradingPeriods"] = {**edges, "regular": regular} if with_prepost else regular
    names = ("open", "high", "low", "close", "volume")
    quote = {name: [row[column] for row in rows] for column, name in enumerate(names)} if rows else {}
    result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [quote]}}
    if rows:
        result["timestamp"] = stamps
    return {"chart": {"result": [result], "error": None}}


def _windows(ticker: str, start: int, end: int) -> list[Window]:
    """Yahoo answers from the minute in which the range begins. Hours that the lake does not know are made up."""
    span = Window(moment(start // _MINUTE * _MINUTE * 1_000_000), moment(end * 1_000_000))
    found = open_windows(ticker, span)
    if found is None:
        days = (day for day in span.days() if day.weekday() < _SATURDAY)
        hours = (Window.of_day(day) for day in days)
        found = [cut for day in hours if (cut := Window(day.start + _OPENS, day.start + _CLOSES).clip(span))]
    return found


def _whole(at: datetime) -> int:
    return -(-int(at.timestamp()) // _MINUTE) * _MINUTE


def _periods(kind: Kind, windows: list[Window]) -> list[tuple[int, int]]:
    """Of currencies and futures Yahoo gives each day in the exchange's zone, from 0:00 to 23:59."""
    if kind not in (FUTURE, CURRENCY, CRYPTO):
        return [(int(window.start.timestamp()), int(window.end.timestamp())) for window in windows]
    zone = ZoneInfo(kind.zone)
    days = {day for window in windows for day in Window(window.start.astimezone(UTC), window.end).days()}
    return [
        (int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()),
         int(datetime(d.year, d.month, d.day, 23, 59, tzinfo=zone).timestamp()))
        for d in sorted(days)
    ]  # fmt: skip


def _row(ticker: str, seed: int, stamp: int, now_us: int) -> tuple[float | int | None, ...]:
    """Return open, high, low, close, volume; of a minute still forming, what there is of it so far."""
    kind = TICKERS[ticker][0]
    if kind.quiet and _drawn(f"{ticker} {seed} {stamp} quiet") % kind.quiet == 0:
        return (None,) * 5
    done = min((now_us / 1e6 - stamp) / _MINUTE, 1.0)
    first, last = _price(ticker, seed, stamp), _price(ticker, seed, stamp + _MINUTE * done)
    reach = _drawn(f"{ticker} {seed} {stamp} reach") % 1000 / 1e7 * done
    high, low = max(first, last) * (1 + reach), min(first, last) * (1 - reach)
    traded = _drawn(f"{ticker} {seed} {stamp} volume") % (2 * kind.volume) if kind.volume else 0
    return *map(_float32, (first, high, low, last)), int(traded * done)


def _price(ticker: str, seed: int, at: float) -> float:
    """A sum of slow waves whose phases the seed chooses: the close of a minute is the open of the next."""
    moved = sum(size * math.sin(2 * math.pi * at / length + phase) for length, size, phase in _waves(ticker, seed))
    return TICKERS[ticker][1] * math.exp(moved)


@cache
def _waves(ticker: str, seed: int) -> list[tuple[float, float, float]]:
    """Length in seconds, size, phase."""
    waves = ((7919.0, 4e-4), (86_011.0, 3e-3), (604_171.0, 8e-3), (2_591_999.0, 2e-2))
    return [(length, size, _drawn(f"{ticker} {seed} {length}") % 6283 / 1000) for length, size in waves]


def _drawn(text: str) -> int:
    """The same number for the same text, in every process."""
    return zlib.crc32(text.encode())


def _float32(value: float) -> float:
    """Yahoo keeps prices as 32-bit floats: 270.29 is 270.2900085449219."""
    return float(struct.unpack("f", struct.pack("f", value))[0])
