"""Yahoo's minute bars of one ticker, through yfinance: the only place that knows yfinance.

yfinance takes seconds to import, so it is imported when the first bar is asked for. Written against 1.7.
"""

import logging
import math
import warnings
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow as pa

from lake import yahoo_payload
from lake.calendars import around_the_clock
from lake.errors import LakeError
from lake.schemas import UTC_US
from lake.windows import Window
from lake.yahoo_payload import COLUMNS, ChangedSchemaError, NoSuchTickerError, RateLimitedError

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ANSWER", "ChangedSchemaError", "NoSuchTickerError", "RateLimitedError", "minutes"]

ANSWER = pa.schema([("ts", UTC_US), *((name, pa.float64()) for name in COLUMNS)])
"""What `minutes` returns: the start of the minute in UTC (as Yahoo stamps it), prices, volume; prices may be null."""
MOST_A_REQUEST = timedelta(days=7)
"""Yahoo refuses 1-minute data of more than 8 days a request; yfinance documents 7."""
KEPT = timedelta(days=30) - timedelta(minutes=5)
"""Yahoo keeps 1-minute data for the last 30 days; five minutes are left for clocks that differ."""
_TIMEOUT_S = 20
_CHART = "/v8/finance/chart/"


def minutes(ticker: str, window: Window, url: str | None = None) -> pa.Table:
    """Return the 1-minute bars that Yahoo has of a ticker in a window of at most 7 days, by one request.

    Args:
        ticker: Yahoo's name of it.
        window: What is asked for; Yahoo may answer with more.
        url: Host to ask in place of every host of Yahoo's, such as a stand-in's; None for Yahoo itself.

    Returns:
        `ANSWER`, sorted by ts, in UTC whatever the exchange's zone; with the minute still forming, and with rows of
        nulls. No rows where the market was closed.

    Raises:
        RateLimitedError: HTTP 429, or `YFRateLimitError`.
        NoSuchTickerError: Yahoo does not know it.
        ChangedSchemaError: columns are missing, renamed or mistyped.
        LakeError: Yahoo cannot be reached, fails, or refuses.
    """
    import yfinance
    from yfinance._http import requests
    from yfinance.exceptions import YFRateLimitError

    session = _session(url)
    session.chart, failure, frame = None, None, None
    yfinance.data.YfData.cache_get.cache_clear()  # it would repeat an answer for a range in the past, an error too
    try:
        frame = _history(yfinance, session, ticker, window)
    except YFRateLimitError:
        raise RateLimitedError(ticker) from None
    except (OSError, requests.exceptions.RequestException) as error:
        raise LakeError(f"Yahoo cannot be reached for {ticker} ({str(error)[:120]}): check the network") from error
    except Exception as error:
        failure = error
    if session.chart is not None:
        yahoo_payload.refuse_failures(ticker, session.chart.status_code, session.chart.text)
        if yahoo_payload.rows(ticker, session.chart.text) == 0:
            return ANSWER.empty_table()
    if frame is None:
        what = f"yfinance cannot read Yahoo's answer ({type(failure).__name__}: {str(failure)[:120]})"
        raise ChangedSchemaError(ticker, what) from failure
    return _table(ticker, frame)


def _history(yfinance: Any, session: Any, ticker: str, window: Window) -> "DataFrame":
    """With a zone given, yfinance does not ask for one first; it needs it for times without a zone only.

    ``prepost`` is true for markets without a regular session: else yfinance drops their minutes from 23:59 on, as Yahoo
    gives ``end`` of a 24-hour trading period as 23:59:00.
    """
    asked = yfinance.Ticker(ticker, session=session)
    asked._tz = "UTC"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' about yfinance
        return asked.history(
            interval="1m", start=window.start, end=window.end, prepost=around_the_clock(ticker), actions=False,
            auto_adjust=False, back_adjust=False, repair=False, keepna=True, rounding=False, timeout=_TIMEOUT_S,
        )  # fmt: skip


@lru_cache(maxsize=4)
def _session(url: str | None) -> Any:
    """Return a session of yfinance's own making that keeps the last answer about a chart, and asks ``url`` alone.

    Every request of yfinance (cookies, consent, crumb, chart) goes through its session, whichever host it has in mind;
    so that is where it is sent elsewhere, and no redirect is followed then.
    """
    from yfinance._http import new_session

    _quiet()
    session = new_session()
    ask, session.chart = session.request, None

    def request(method: str, address: str = "", *args: Any, **more: Any) -> Any:
        address = more.pop("url", address)
        if url is not None:
            more["allow_redirects"] = False
        answer = ask(method, address if url is None else _aimed(address, url), *args, **more)
        if _CHART in address:
            session.chart = answer
        return answer

    session.request = request
    return session


def _quiet() -> None:
    """Let yfinance raise, log nothing, and keep nothing on disk.

    Its cache of cookies is a SQLite file in the user's folder, which two processes lock for each other. That of zones
    is not opened where a zone is given.
    """
    import yfinance
    from yfinance import cache

    yfinance.config.debug.hide_exceptions = False
    for name in ("yfinance", "bs4.dammit"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    cache._CookieCacheManager._Cookie_cache = cache._CookieCacheDummy()


def _aimed(address: str, url: str) -> str:
    parts = urlsplit(address)
    return f"{url}{parts.path}" + (f"?{parts.query}" if parts.query else "")


def _table(ticker: str, frame: "DataFrame") -> pa.Table:
    """Return yfinance's frame (index in the exchange's zone; Open, High, Low, Close, Adj Close, Volume) as `ANSWER`."""
    there = list(map(str, frame.columns))
    if missing := [name.capitalize() for name in COLUMNS if name.capitalize() not in there]:
        what = f"yfinance's columns have changed: expected {', '.join(missing)} too (there are: {', '.join(there)})"
        raise ChangedSchemaError(ticker, what[:300])
    if frame.index.tz is None:
        raise ChangedSchemaError(ticker, "yfinance's times have no zone")
    stamps = [stamp.to_pydatetime() for stamp in frame.index]
    columns = [
        [float(value) if math.isfinite(value) else None for value in frame[name.capitalize()]] for name in COLUMNS
    ]
    return pa.table([stamps, *columns], schema=ANSWER)
