"""How klines are fetched elsewhere: two libraries as their documents say, a loop, and eight requests in flight by hand.

Each takes the stand-in's REST address, a symbol, and a range in milliseconds, and writes one Parquet file.
"""

import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import requests

MINUTE_MS, MOST = 60_000, 1000
_FIELDS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "trades", "taker_base_vol",
    "taker_quote_vol", "ignore",
)  # fmt: skip


def python_binance(url: str, symbols: list[str], start: int, end: int, out: Path) -> None:
    """``Client.get_historical_klines``; it sleeps a second after every third request."""
    from binance.client import Client

    client = Client(ping=False)
    client.API_URL = f"{url}/api"
    for symbol in symbols:
        _write(client.get_historical_klines(symbol, "1m", start, end - 1), out / f"{symbol}.parquet")


def ccxt(url: str, symbols: list[str], start: int, end: int, out: Path) -> None:
    """``fetch_ohlcv`` in the loop that its manual shows, with its own rate limiter, which is on by default."""
    import ccxt as library

    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}
    exchange = library.binance({"urls": {"api": {"public": f"{url}/api/v3"}}, "options": options})
    exchange.load_markets()
    names = {market["id"]: name for name, market in exchange.markets.items()}
    for symbol in symbols:
        rows, since = list[Any](), start
        while since < end and (some := exchange.fetch_ohlcv(names[symbol], "1m", since, MOST)):
            rows += some
            since = some[-1][0] + MINUTE_MS
        frame = pd.DataFrame([row for row in rows if row[0] < end], columns=list(_FIELDS[:6]))
        frame.to_parquet(out / f"{symbol}.parquet")


def loop(url: str, symbols: list[str], start: int, end: int, out: Path) -> None:
    """One request after the other, with a tenth of a second between them, as in most repositories."""
    for symbol in symbols:
        rows = list[Any]()
        for since in range(start, end, MOST * MINUTE_MS):
            rows += _ask(requests, url, symbol, since, end)
            time.sleep(0.1)
        _write(rows, out / f"{symbol}.parquet")


def by_hand(url: str, symbols: list[str], start: int, end: int, out: Path) -> None:
    """Eight threads with a session each; no limit, no retry, no look at what came."""
    local = threading.local()

    def ask(job: tuple[str, int]) -> Iterable[Any]:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        return _ask(local.session, url, *job, end)

    with ThreadPoolExecutor(8) as pool:
        jobs = [(symbol, since) for symbol in symbols for since in range(start, end, MOST * MINUTE_MS)]
        answers = list(pool.map(ask, jobs))
    for symbol in symbols:
        mine = (rows for (name, _), rows in zip(jobs, answers, strict=True) if name == symbol)
        _write([row for rows in mine for row in rows], out / f"{symbol}.parquet")


def _ask(http: Any, url: str, symbol: str, since: int, end: int) -> Any:
    last = min(end, since + MOST * MINUTE_MS) - 1
    query = {"symbol": symbol, "interval": "1m", "startTime": since, "endTime": last, "limit": MOST}
    answer = http.get(f"{url}/api/v3/klines", params=query, timeout=20)
    answer.raise_for_status()
    return answer.json()


def _write(rows: list[Any], path: Path) -> None:
    frame = pd.DataFrame(rows, columns=list(_FIELDS)).drop(columns="ignore")
    for name in ("open_time", "close_time"):
        frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
    texts = [name for name in frame.columns if frame[name].dtype not in ("int64",) and not name.endswith("_time")]
    frame.astype(dict.fromkeys(texts, float)).to_parquet(path)
