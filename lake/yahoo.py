"""Yahoo's minute bars of one ticker, asked for through yfinance: the only place that knows yfinance.

yfinance knows how Yahoo wants to be asked (a browser's handshake, cookie, crumb, consent); the answer is read in
`lake.yahoo_payload`. yfinance takes seconds to import, so it is imported when the first bar is asked for. Written
against 1.7.
"""

import logging
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from lake import yahoo_payload
from lake.calendars import around_the_clock
from lake.errors import LakeError
from lake.windows import Window
from lake.yahoo_payload import Answer, ChangedSchemaError, NoSuchTickerError, OtherTickerError, RateLimitedError

__all__ = ["Answer", "ChangedSchemaError", "NoSuchTickerError", "OtherTickerError", "RateLimitedError", "minutes"]

MOST_A_REQUEST = timedelta(days=7)
"""Yahoo refuses 1-minute data of more than 8 days a request; yfinance documents 7."""
KEPT = timedelta(days=30) - timedelta(minutes=5)
"""Yahoo keeps 1-minute data for the last 30 days; five minutes are left for clocks that differ."""
_TIMEOUT_S = 20
_CHART = "/v8/finance/chart/"


def minutes(ticker: str, window: Window, url: str | None = None) -> Answer:
    """Return the 1-minute bars that Yahoo has of a ticker in a window of at most 7 days, by one request.

    Args:
        ticker: Yahoo's name of it.
        window: What is asked for; Yahoo may answer with more.
        url: Host to ask in place of every host of Yahoo's, such as a stand-in's; None for Yahoo itself.

    Returns:
        Yahoo's rows as they are: with the minute still forming, rows of nulls, and whatever else came.

    Raises:
        RateLimitedError: HTTP 429, or `YFRateLimitError`.
        NoSuchTickerError: Yahoo does not know it.
        OtherTickerError: Yahoo answers about another ticker.
        ChangedSchemaError: columns are missing, renamed or mistyped.
        LakeError: Yahoo cannot be reached, fails, or refuses.
    """
    from yfinance._http import requests
    from yfinance.const import _BASE_URL_
    from yfinance.data import YfData
    from yfinance.exceptions import YFRateLimitError

    session, failure = _session(url), None
    session.chart = None
    try:
        YfData(session=session).get(f"{_BASE_URL_}{path(ticker)}", params=_asked(ticker, window), timeout=_TIMEOUT_S)
    except YFRateLimitError:
        raise RateLimitedError(ticker) from None
    except (OSError, requests.exceptions.RequestException) as error:
        raise LakeError(f"Yahoo cannot be reached for {ticker} ({str(error)[:120]}): check the network") from error
    except Exception as error:  # after a refusal yfinance looks for another cookie, and fails on what it finds
        failure = error
    if session.chart is None:
        why = f"{type(failure).__name__}: {str(failure)[:120]}"
        raise LakeError(f"yfinance could not ask Yahoo for {ticker} ({why}): look for a newer yfinance") from failure
    return yahoo_payload.read(ticker, session.chart.status_code, session.chart.text)


def path(ticker: str) -> str:
    """Return the path of a ticker's chart; ``=`` and ``&`` may stand in a path as they are, and yfinance sends them."""
    return _CHART + quote(ticker, safe="=&")


def _asked(ticker: str, window: Window) -> dict[str, str]:
    """Minutes outside of a regular session are asked for only of markets that have none, to whom they are all."""
    return {
        "period1": str(int(window.start.timestamp())),
        "period2": str(int(window.end.timestamp())),
        "interval": "1m",
        "includePrePost": str(around_the_clock(ticker)).lower(),
    }


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
    """Let yfinance log nothing and keep nothing on disk.

    Its cache of cookies is a SQLite file in the user's folder, which two processes lock for each other.
    """
    from yfinance import cache

    for name in ("yfinance", "bs4.dammit"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    cache._CookieCacheManager._Cookie_cache = cache._CookieCacheDummy()


def _aimed(address: str, url: str) -> str:
    parts = urlsplit(address)
    return f"{url}{parts.path}" + (f"?{parts.query}" if parts.query else "")
