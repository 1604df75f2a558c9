"""A WebSocket frame to a raw line. Pure: no socket, no clock, no file.

Source: Binance spot "WebSocket Streams"; recorded frames of 2021, 2023 and 2024.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson

from lake.errors import BadInputError
from lake.names import symbol as checked_symbol

_DECIMAL = re.compile(r"\d{1,19}(\.\d{1,8})?\Z")
_MICROSECONDS_FROM = 10**14  # as milliseconds that is the year 5138, as microseconds 1973


class Kind(Enum):
    """What a frame is to the lake."""

    TRADE = "trade"
    QUOTE = "bookTicker"
    SHUTDOWN = "serverShutdown"
    REPLY = "reply"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """A frame understood: its kind, and for a trade or quote its symbol and its raw line (JSON, with line feed)."""

    kind: Kind
    symbol: str = ""
    line: bytes = b""
    ts_event: int | None = None


class MalformedFrameError(ValueError):
    """A frame that cannot be understood. The message is the reason, for the quarantine."""


_SHUTDOWN = Event(Kind.SHUTDOWN)
_REPLY = Event(Kind.REPLY)
_OTHER = Event(Kind.OTHER)


def parse(frame: str | bytes, ts_recv: int) -> Event:
    """Understand one frame of a combined or raw stream.

    A trade is ``{"stream":"solusdt@trade","data":{"e":"trade","E":…,"s":"SOLUSDT","t":id,"p":"1.0","q":"2.0","T":time,
    "m":buyer is maker,"M":…}}``, in 2023 with order ids ``b`` and ``a``. A quote is ``{"u":id,"s":"SOLUSDT","b":bid,
    "B":size,"a":ask,"A":size}``; it has no type and no time, so the stream's name tells it, or, without a wrapper, its
    keys. Unknown keys are passed over. Times come in milliseconds or microseconds, as was asked for in the URL; they
    are too far apart to be mistaken for each other.

    Args:
        frame: the text as received.
        ts_recv: when it was received, microseconds since 1970 UTC.

    Raises:
        MalformedFrameError: no JSON object, or a trade or quote without what it must have.
    """
    try:
        message = orjson.loads(frame)
    except (orjson.JSONDecodeError, TypeError):
        raise MalformedFrameError("no JSON") from None
    if not isinstance(message, dict):
        raise MalformedFrameError("no JSON object")
    stream = message.get("stream", "")
    data = message["data"] if "data" in message and stream else message
    if not isinstance(data, dict) or not isinstance(stream, str):
        return _OTHER
    try:
        return _event(stream.partition("@")[2], data, ts_recv)
    except KeyError as error:
        raise MalformedFrameError(f"key {error} is missing") from None
    except BadInputError as error:
        raise MalformedFrameError(str(error)) from None


def _event(channel: str, data: dict[str, Any], ts_recv: int) -> Event:
    kind = channel or data.get("e") or ("bookTicker" if data.keys() >= {"u", "s", "b", "B", "a", "A"} else "")
    if kind == "trade":
        return trade(data, ts_recv)
    if kind == "bookTicker":
        return quote(data, ts_recv)
    if kind == "aggTrade":
        return aggregate(data, ts_recv)
    if data.get("e") == "serverShutdown":
        return _SHUTDOWN
    return _REPLY if "result" in data or "error" in data or "code" in data else _OTHER


def aggregate(data: dict[str, Any], ts_recv: int) -> Event:
    """Make the raw line of an aggregate trade, ids ``f`` to ``l``: one taker, one price, one time, so the same bars.

    A tombstone (``f`` and ``l`` are -1) is no trade.

    Raises:
        MalformedFrameError: a value is not what the exchange documents.
        KeyError: a key is missing.
    """
    if data["f"] == -1:
        return _OTHER
    first, last = _whole(data["f"], "f"), _whole(data["l"], "l")
    if first > last:
        raise MalformedFrameError(f"f {first} is after l {last}")
    return trade({**data, "t": last}, ts_recv, {"first_trade_id": first})


def trade(data: dict[str, Any], ts_recv: int, more: dict[str, int] | None = None) -> Event:
    """Make the raw line of a trade, with what ``more`` adds. The buyer being the maker, the taker sold.

    Raises:
        MalformedFrameError: a value is not what the exchange documents.
        KeyError: a key is missing.
    """
    symbol, ts_event = checked_symbol(data["s"]), micros(data["T"])
    line = {
        "symbol": symbol, "ts_event": ts_event, "ts_recv": ts_recv,
        "price": _decimal(data["p"], "p"), "qty": _decimal(data["q"], "q"), "side": "sell" if data["m"] else "buy",
        "bid": None, "ask": None, "stream": "trade", "trade_id": _whole(data["t"], "t"), **(more or {}),
    }  # fmt: skip
    return Event(Kind.TRADE, symbol, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), ts_event)


def quote(data: dict[str, Any], ts_recv: int) -> Event:
    """Make the raw line of a best quote.

    Raises:
        MalformedFrameError: a value is not what the exchange documents.
        KeyError: a key is missing.
    """
    symbol = checked_symbol(data["s"])
    line = {
        "symbol": symbol, "ts_event": None, "ts_recv": ts_recv, "price": None, "qty": None,
        "side": None, "bid": _decimal(data["b"], "b"), "ask": _decimal(data["a"], "a"), "stream": "bookTicker",
        "update_id": _whole(data["u"], "u"), "bid_qty": _decimal(data["B"], "B"), "ask_qty": _decimal(data["A"], "A"),
    }  # fmt: skip
    return Event(Kind.QUOTE, symbol, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def micros(time: Any) -> int:
    """Return a time of the exchange, milliseconds or microseconds, in microseconds since 1970 UTC."""
    number = _whole(time, "T")
    return number if number >= _MICROSECONDS_FROM else number * 1000


def _whole(value: Any, key: str) -> int:
    if type(value) is not int or value < 0:
        raise MalformedFrameError(f"{key} {str(value)[:40]!r} is no whole number")
    return value


def _decimal(value: Any, key: str) -> str:
    if type(value) is not str or not _DECIMAL.match(value):
        raise MalformedFrameError(f"{key} {str(value)[:40]!r} is no decimal text")
    return value
