"""What Yahoo's chart endpoint answers, told apart and checked: failures by their kind, rows by their columns.

yfinance raises most failures as one and the same, and turns texts into numbers without a word.
"""

import json
from typing import Any

from lake.errors import LakeError

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume")
_LIMITED = (429, 999)
"""999 is what Yahoo's edge answers, beside 429, to who asks too often."""
_CLOSED = "Data doesn't exist"
"""So begins the description of the error that says that there was no minute in the range."""


class RateLimitedError(LakeError):
    """Yahoo answers nothing for the moment; minutes later it does again."""

    def __init__(self, ticker: str) -> None:
        super().__init__(f"Yahoo asks for a pause (too many requests, the last for {ticker}): wait some minutes")


class NoSuchTickerError(LakeError):
    """Yahoo has no such ticker (any more)."""


class ChangedSchemaError(LakeError):
    """Yahoo's answer, or yfinance's reading of it, is not what it was: nothing of it can be trusted."""

    def __init__(self, ticker: str, what: str) -> None:
        super().__init__(f"{what}: nothing of {ticker} was stored; look for a newer yfinance or crypto-lake")


def refuse_failures(ticker: str, status: int, text: str) -> None:
    """Raise what an answer says in place of rows.

    An error's body is ``{"chart": {"result": null, "error": {"code": "Not Found", "description": "No data found, symbol
    may be delisted"}}}``.

    Raises:
        RateLimitedError: HTTP 429 or 999.
        NoSuchTickerError: the code is Not Found.
        LakeError: any other error, or no JSON at all.
    """
    if status in _LIMITED:
        raise RateLimitedError(ticker)
    body = _json(text)
    if error := _error(body):
        description = str(error.get("description"))[:200]
        if error.get("code") == "Not Found":
            raise NoSuchTickerError(f"Yahoo has no ticker {ticker} ({description}): check its name")
        if not description.startswith(_CLOSED):
            raise LakeError(f"Yahoo refuses {ticker} (HTTP {status}: {description})")
    elif status >= 400 or body is None:
        what = f"HTTP {status}" if status >= 400 else f"with no JSON ({text[:40]!r})"
        raise LakeError(f"Yahoo answers {what} for {ticker}: the next run tries again")


def rows(ticker: str, text: str) -> int:
    """Return the number of rows in a payload that is as it must be.

    ::

        {"chart": {"error": null, "result": [{
            "meta": {"dataGranularity": "1m", "exchangeTimezoneName": "America/New_York", …},
            "timestamp": [1527600600, …],            seconds since 1970 UTC; not there where there is no row
            "indicators": {"quote": [{               {} where there is no row
                "open": [270.2799987792969, null, …], "high": […], "low": […], "close": […],   number or null
                "volume": [3124149, null, …]}]}}]}}

    Raises:
        ChangedSchemaError: it is not; the message names what was expected.
    """
    body = _json(text) or {}
    if str((_error(body) or {}).get("description")).startswith(_CLOSED):
        return 0
    try:
        result = body["chart"]["result"][0]
        quote, granularity = result["indicators"]["quote"][0], result["meta"].get("dataGranularity", "1m")
        stamps = result.get("timestamp")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise _changed(ticker, "chart.result[0] with meta, timestamp and indicators.quote[0]") from None
    if stamps is None and not quote:
        return 0
    if granularity != "1m":
        raise _changed(ticker, f"1-minute bars, but dataGranularity is {str(granularity)[:20]!r}")
    if not isinstance(stamps, list) or not all(type(stamp) is int for stamp in stamps):
        raise _changed(ticker, "a list `timestamp` of whole seconds")
    _check_columns(ticker, quote, len(stamps))
    return len(stamps)


def _check_columns(ticker: str, quote: Any, length: int) -> None:
    if not isinstance(quote, dict):
        raise _changed(ticker, "indicators.quote[0] with a list a column")
    if missing := [f"`{name}`" for name in COLUMNS if name not in quote]:
        there = ", ".join(sorted(quote))[:80]
        raise _changed(ticker, f"{', '.join(missing)} in quote (there are: {there})")
    for name in COLUMNS:
        column = quote[name]
        if not isinstance(column, list) or len(column) != length or not all(map(_number_or_null, column)):
            raise _changed(ticker, f"`{name}` as a list of {length} numbers or nulls, one a timestamp")


def _number_or_null(value: Any) -> bool:
    return value is None or type(value) in (int, float)


def _changed(ticker: str, expected: str) -> ChangedSchemaError:
    return ChangedSchemaError(ticker, f"Yahoo's answer has changed: expected {expected}")


def _json(text: str) -> dict[str, Any] | None:
    try:
        body = json.loads(text)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _error(body: dict[str, Any] | None) -> dict[str, Any] | None:
    chart = (body or {}).get("chart")
    error = chart.get("error") if isinstance(chart, dict) else None
    return error if isinstance(error, dict) else None
