"""What the stand-in says really happened: a recording of yesterday made from it, and the bars that must come out."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import requests

from lake.windows import SECOND_US, Window, moment

Bar = tuple[float, float, float, float, float, float, int]
"""open, high, low, close, volume_base, volume_quote, trade_count."""
_RECEIVED_AFTER_US = 20_000


class Truth:
    """The control port of a stand-in.

    Args:
        url: Its address.
    """

    def __init__(self, url: str) -> None:
        """Ask the control port at ``url``; nothing is sent yet."""
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def trades(self, symbol: str, window: Window) -> list[dict[str, Any]]:
        """Every trade made in a window."""
        return self._get("trades", symbol, window)

    def klines(self, symbol: str, window: Window) -> list[list[Any]]:
        """The 1-minute candles that open in a window, as the exchange's arrays; the last may be open still."""
        return self._get("klines", symbol, window)

    def fundings(self, symbol: str, window: Window) -> list[dict[str, Any]]:
        """The fundings of a window."""
        return self._get("funding", symbol, window)

    def open_interests(self, symbol: str, window: Window) -> list[dict[str, Any]]:
        """The open interest of a window, on the 5-minute grid."""
        return self._get("open_interest", symbol, window)

    def bars(self, symbol: str, window: Window) -> dict[int, Bar]:
        """The bar of each second that has trades, by its start in µs, in exact decimals until the last step."""
        seconds: dict[int, list[dict[str, Any]]] = {}
        for trade in self.trades(symbol, window):
            seconds.setdefault(trade["time_us"] // SECOND_US * SECOND_US, []).append(trade)
        return {start: _bar(sorted(trades, key=lambda t: t["id"])) for start, trades in seconds.items()}

    def record(self, path: Path, symbols: list[str], window: Window) -> int:
        """Write a recording (hftbacktest's format) of trades and quotes as a client would have received them.

        Returns:
            How many trades are in it.
        """
        lines: list[tuple[int, str]] = []
        trades = 0
        for symbol in symbols:
            made = self.trades(symbol, window)
            trades += len(made)
            lines += _frames(f"{symbol.lower()}@trade", map(_trade(symbol), made))
            lines += _frames(f"{symbol.lower()}@bookTicker", map(_quote(symbol), self._get("quotes", symbol, window)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{at} {text}\n" for at, text in sorted(lines)), encoding="utf-8")
        return trades

    def _get(self, what: str, symbol: str, window: Window) -> list[Any]:
        query: dict[str, str | int] = {"symbol": symbol, "from": window.start_us, "to": window.end_us}
        answer = self._session.get(f"{self._url}/truth/{what}", params=query, timeout=60)
        answer.raise_for_status()
        return list(answer.json())


def differences(table: pa.Table, truth: dict[int, Bar]) -> list[str]:
    """Return in words where bars and truth differ: every second traded must be there, equal; every other one flat."""
    found = []
    columns = ("open", "high", "low", "close", "volume_base", "volume_quote", "trade_count")
    for row in table.to_pylist():
        start = int(row["window_start"].timestamp()) * SECOND_US
        bar, true = tuple(row[name] for name in columns), truth.pop(start, None)
        if true is None and row["trade_count"]:
            found.append(f"{row['symbol']} {row['window_start']}: {row['trade_count']} trades that were never made")
        elif true is not None and bar != true:
            found.append(f"{row['symbol']} {row['window_start']}: {bar}, in truth {true}")
    return found + [f"{moment(start):%H:%M:%S}: {bar[-1]} trades and no bar" for start, bar in truth.items()]


def _bar(trades: list[dict[str, Any]]) -> Bar:
    prices, sizes = [Decimal(t["price"]) for t in trades], [Decimal(t["qty"]) for t in trades]
    quote = sum((price * size for price, size in zip(prices, sizes, strict=True)), Decimal(0))
    first, high, low, last = float(prices[0]), float(max(prices)), float(min(prices)), float(prices[-1])
    return first, high, low, last, float(sum(sizes, Decimal(0))), float(quote), len(trades)


def _frames(stream: str, events: Iterator[tuple[int, dict[str, Any]]]) -> list[tuple[int, str]]:
    return [(at + _RECEIVED_AFTER_US, json.dumps({"stream": stream, "data": data})) for at, data in events]


def _trade(symbol: str) -> Any:
    def frame(t: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ms = t["time_us"] // 1000
        fields = {"s": symbol, "t": t["id"], "p": t["price"], "q": t["qty"], "T": ms, "m": t["buyer_is_maker"]}
        return t["time_us"], {"e": "trade", "E": ms, **fields, "M": True}

    return frame


def _quote(symbol: str) -> Any:
    def frame(q: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        sides = {"b": q["bid"], "B": q["bid_qty"], "a": q["ask"], "A": q["ask_qty"]}
        return q["time_us"], {"u": q["update_id"], "s": symbol, **sides}

    return frame
