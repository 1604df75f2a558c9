"""What Yahoo's chart endpoint answers: failures by their kind, rows with their values as sent, regular sessions.

The raw answer is read here, and not by yfinance: that drops rows, turns texts into numbers, raises one error for most
failures, and fails on half of the shapes that ``tradingPeriods`` comes in, all without a word.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from lake.errors import LakeError

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume")
Number = int | float
_LIMITED = (429, 999)
"""999 is what Yahoo's edge answers, beside 429, to who asks too often."""
_CLOSED = "Data doesn't exist"
"""So begins the description of the error that says that there was no minute in the range."""
_AROUND_THE_CLOCK = ("CURRENCY", "CRYPTOCURRENCY", "FUTURE")
"""Instrument types without a regular session. Yahoo gives each of their days as a period that ends at 23:59:00, so the
last minute of the day lies outside of it."""


class RateLimitedError(LakeError):
    """Yahoo answers nothing for the moment; minutes later it does again."""

    def __init__(self, ticker: str) -> None:
        super().__init__(f"Yahoo asks for a pause (too many requests, the last for {ticker}): wait some minutes")


class NoSuchTickerError(LakeError):
    """Yahoo has no such ticker (any more)."""


class OtherTickerError(LakeError):
    """Yahoo's answer is about another ticker than the one asked for."""


class ChangedSchemaError(LakeError):
    """Yahoo's answer is not what it was: nothing of it can be trusted."""

    def __init__(self, ticker: str, what: str) -> None:
        super().__init__(f"{what}: nothing of {ticker} was stored; look for a newer yfinance or crypto-lake")


class Row(NamedTuple):
    """One row of an answer, its values as Yahoo sent them: nothing is known yet about their size or sense.

    ``ts_s`` is the start of the minute in seconds since 1970 UTC.
    """

    ts_s: int
    open: Number | None
    high: Number | None
    low: Number | None
    close: Number | None
    volume: Number | None


class Session(NamedTuple):
    """A regular session of an exchange, in seconds since 1970 UTC, with the exchange's offset from UTC then."""

    start_s: int
    end_s: int
    offset_s: int


@dataclass(frozen=True)
class Answer:
    """What Yahoo has about 1-minute bars of a ticker.

    Attributes:
        rows: In the order of the answer; none where the market was closed.
        sessions: The regular sessions, or None where they are not known, or where the market has none.
    """

    rows: tuple[Row, ...] = ()
    sessions: tuple[Session, ...] | None = None


def read(ticker: str, status: int, text: str) -> Answer:
    """Return what an answer holds; every failure that it reports is raised.

    ::

        {"chart": {"error": null, "result": [{
            "meta": {"symbol": "SPY", "dataGranularity": "1m", "instrumentType": "ETF",
                     "tradingPeriods": …,             see `_sessions`
                     …},
            "timestamp": [1527600600, …],             seconds since 1970 UTC; not there where there is no row
            "indicators": {"quote": [{                {} where there is no row
                "open": [270.2799987792969, null, …], "high": […], "low": […], "close": […],   number or null
                "volume": [3124149, null, …]}]}}]}}

    Args:
        ticker: The ticker that was asked for.
        status: HTTP status of the answer.
        text: Its body.

    Raises:
        RateLimitedError: HTTP 429 or 999.
        NoSuchTickerError: Yahoo does not know the ticker.
        OtherTickerError: the answer is about another ticker.
        ChangedSchemaError: the payload has another form; the message names what was expected.
        LakeError: any other failure, or no JSON at all.
    """
    body = _json(text)
    if _refused(ticker, status, text, body):
        return Answer()
    try:
        result = (body or {})["chart"]["result"][0]
        meta, quote, stamps = result["meta"], result["indicators"]["quote"][0], result.get("timestamp")
        symbol, granularity = meta.get("symbol"), meta.get("dataGranularity", "1m")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise _changed(ticker, "chart.result[0] with meta, timestamp and indicators.quote[0]") from None
    _check_symbol(ticker, symbol)
    if not stamps and not (any(quote.values()) if isinstance(quote, dict) else quote):
        return Answer()
    if granularity != "1m":
        raise _changed(ticker, f"1-minute bars, but dataGranularity is {str(granularity)[:20]!r}")
    if not isinstance(stamps, list) or not all(type(stamp) is int for stamp in stamps):
        raise _changed(ticker, "a list `timestamp` of whole seconds")
    columns = _columns(ticker, quote, len(stamps))
    return Answer(tuple(map(Row, stamps, *columns)), _sessions(meta))


def _refused(ticker: str, status: int, text: str, body: dict[str, Any] | None) -> bool:
    """Raise what an answer says in place of rows; return whether it says that there are none.

    An error's body is ``{"chart": {"result": null, "error": {"code": "Not Found", "description": "No data found, symbol
    may be delisted"}}}``.
    """
    if status in _LIMITED:
        raise RateLimitedError(ticker)
    if error := _error(body):
        description = str(error.get("description"))[:200]
        if error.get("code") == "Not Found":
            raise NoSuchTickerError(f"Yahoo has no ticker {ticker} ({description}): check its name")
        if not description.startswith(_CLOSED):
            raise LakeError(f"Yahoo refuses {ticker} (HTTP {status}: {description})")
        return True
    if status >= 400 or body is None:
        what = f"HTTP {status}" if status >= 400 else f"with no JSON ({text[:40]!r})"
        raise LakeError(f"Yahoo answers {what} for {ticker}: the next run tries again")
    return False


def _check_symbol(ticker: str, symbol: Any) -> None:
    """Refuse an answer about another ticker. Yahoo answers ``USDJPY=X`` now as that, now as ``JPY=X``: they are one."""
    if not isinstance(symbol, str):
        raise _changed(ticker, "`meta.symbol`, the ticker that the answer is about")
    if _rate(symbol) != _rate(ticker):
        said = symbol[:40] if symbol.isprintable() else repr(symbol[:40])
        raise OtherTickerError(
            f"Yahoo answers about {said} when asked for {ticker}: nothing was stored; if that is its new name, use it"
        )


def _rate(name: str) -> str:
    name = name.upper()
    return name[3:] if len(name) == len("USDJPY=X") and name.startswith("USD") and name.endswith("=X") else name


def _columns(ticker: str, quote: Any, length: int) -> list[list[Number | None]]:
    if not isinstance(quote, dict):
        raise _changed(ticker, "indicators.quote[0] with a list a column")
    if missing := [f"`{name}`" for name in COLUMNS if name not in quote]:
        there = ", ".join(sorted(quote))[:80]
        raise _changed(ticker, f"{', '.join(missing)} in quote (there are: {there})")
    for name in COLUMNS:
        column = quote[name]
        if not isinstance(column, list) or len(column) != length or not all(map(_number_or_null, column)):
            raise _changed(ticker, f"`{name}` as a list of {length} numbers or nulls, one a timestamp")
    return [quote[name] for name in COLUMNS]


def _number_or_null(value: Any) -> bool:
    return value is None or type(value) in (int, float)


def _sessions(meta: dict[str, Any]) -> tuple[Session, ...] | None:
    """Return the regular sessions, or None where they cannot be read. They only say which rows are outside of hours.

    ``tradingPeriods`` is ``[[{"start": s, "end": s, "gmtoffset": s, "timezone": "EST"}], …]``. Where hours before and
    after the session were asked for, it is ``{"pre": …, "regular": …, "post": …}`` of such lists. Also seen:
    ``{"pre": [], "post": []}``, null, and nothing at all.
    """
    found = meta.get("tradingPeriods")
    found = found.get("regular") if isinstance(found, dict) else found
    if meta.get("instrumentType") in _AROUND_THE_CLOCK or not isinstance(found, list):
        return None
    try:
        periods = [(one["start"], one["end"], one.get("gmtoffset", 0)) for one in _flat(found)]
    except (KeyError, TypeError, AttributeError):
        return None
    if not periods or not all(type(value) is int for period in periods for value in period):
        return None
    return tuple(Session(*period) for period in periods)


def _flat(found: list[Any]) -> Iterable[Any]:
    for one in found:
        yield from one if isinstance(one, list) else (one,)


def _changed(ticker: str, expected: str) -> ChangedSchemaError:
    return ChangedSchemaError(ticker, f"Yahoo's answer has changed: expected {expected}")


def _json(text: str) -> dict[str, Any] | None:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _error(body: dict[str, Any] | None) -> dict[str, Any] | None:
    chart = (body or {}).get("chart")
    error = chart.get("error") if isinstance(chart, dict) else None
    return error if isinstance(error, dict) else None
