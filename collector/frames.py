"""A WebSocket frame to a raw line. Pure: no socket, no clock, no file.

Source: Binance spot "WebSocket Streams"; recorded frames of 2021, 2023 and 2024. Frames of other markets: `markets`.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import orjson

from collector import markets
from lake import stamps
from lake.errors import BadInputError
from lake.names import symbol as checked

_DECIMAL = re.compile(r"\d{1,19}(\.\d{1,8})?\Z")
_END = 1 << 63
_TRADE_IDS_END = 1 << 62
_MOST_IDS = 1_000_001
"""Trades in one aggregate; `sql/lines.sql` has these bounds too."""
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
    """A frame understood: its kind, and for a trade or quote its symbol, its raw line (JSON, with line feed) and times.

    ``spot`` is false for a trade without ``M``: spot's have always had it, futures' never. Alone it proves neither.
    """

    kind: Kind
    symbol: str = ""
    line: bytes = b""
    ts_event: int | None = None
    ts_recv: int = 0
    spot: bool = True


class MalformedFrameError(ValueError):
    """A frame that cannot be understood. The message is the reason, for the quarantine."""


class OtherMarketError(MalformedFrameError):
    """A frame that shows itself to be of another market than Binance spot."""


REPLY = Event(Kind.REPLY)
OTHER = Event(Kind.OTHER)
_SHUTDOWN = Event(Kind.SHUTDOWN)


def parse(frame: str | bytes, ts_recv: int | None) -> Event:
    """Understand one frame of a combined or raw stream.

    A trade is ``{"stream":"solusdt@trade","data":{"e":"trade","E":…,"s":"SOLUSDT","t":id,"p":"1.0","q":"2.0","T":time,
    "m":buyer is maker,"M":…}}``, in 2023 with order ids ``b`` and ``a``. A quote is ``{"u":id,"s":"SOLUSDT","b":bid,
    "B":size,"a":ask,"A":size}``; it has no type and no time, so the stream's name tells it, or, without a wrapper, its
    keys. Unknown keys are passed over. Times come in milliseconds or microseconds, as was asked for in the URL; they
    are too far apart to be mistaken for each other.

    Args:
        frame: the text as received.
        ts_recv: when it was received, microseconds since 1970 UTC. None where a recording does not have it: then a
            trade is taken as received at its event time ``E``, without one at ``T``; a quote has no other time.

    Raises:
        OtherMarketError: it is not of Binance spot.
        MalformedFrameError: no JSON object, or a trade or quote without what it must have.
    """
    return understand(loaded(frame), ts_recv)


def loaded(frame: str | bytes) -> dict[str, Any]:
    """Return the JSON object that a text holds.

    Raises:
        MalformedFrameError: it is no JSON object.
    """
    try:
        message = orjson.loads(frame)
    except (orjson.JSONDecodeError, TypeError):
        raise MalformedFrameError("no JSON") from None
    if not isinstance(message, dict):
        raise MalformedFrameError("no JSON object")
    return message


def understand(message: dict[str, Any], ts_recv: int | None) -> Event:
    """Understand a frame whose JSON has been read; arguments and errors as those of `parse`."""
    stream = message.get("stream", "")
    data = message["data"] if "data" in message and stream else message
    if not isinstance(data, dict) or not isinstance(stream, str):
        return OTHER
    try:
        return _event(stream.partition("@")[2], data, ts_recv)
    except KeyError as error:
        raise MalformedFrameError(f"key {error} is missing") from None
    except BadInputError as error:
        raise MalformedFrameError(str(error)) from None


def _event(channel: str, data: dict[str, Any], ts_recv: int | None) -> Event:
    if market := markets.of_payload(data):
        raise OtherMarketError(f"a {str(data.get('e') or channel.partition('@')[0] or 'frame')[:40]} of {market}")
    kind = channel or data.get("e") or ("bookTicker" if data.keys() >= {"u", "s", "b", "B", "a", "A"} else "")
    if kind == "trade":
        return trade(data, ts_recv)
    if kind == "bookTicker":
        return quote(data, ts_recv)
    if kind == "aggTrade":
        return aggregate(data, ts_recv)
    if data.get("e") == "serverShutdown":
        return _SHUTDOWN
    return REPLY if "result" in data or "error" in data or "code" in data else OTHER


def aggregate(data: dict[str, Any], ts_recv: int | None) -> Event:
    """Make the raw line of an aggregate trade, ids ``f`` to ``l``: one taker, one price, one time, so the same bars.

    A tombstone (``f`` and ``l`` are -1) is no trade.

    Raises:
        MalformedFrameError: a value is not what the exchange documents.
        KeyError: a key is missing.
    """
    if data["f"] == -1:
        return OTHER
    first, last = _whole(data["f"], "f"), _whole(data["l"], "l")
    if first > last:
        raise MalformedFrameError(f"f {first} is after l {last}")
    if last - first >= _MOST_IDS:
        raise MalformedFrameError(f"f {first} to l {last} are more than {_MOST_IDS:,} trades")
    return trade({**data, "t": last}, ts_recv, {"first_trade_id": first})


def trade(data: dict[str, Any], ts_recv: int | None, more: dict[str, int] | None = None) -> Event:
    """Make the raw line of a trade, with what ``more`` adds. The buyer being the maker, the taker sold.

    Raises:
        MalformedFrameError: a value is not what the exchange documents.
        KeyError: a key is missing.
    """
    symbol, ts_event, trade_id = _symbol(data["s"]), micros(data["T"]), _whole(data["t"], "t", _TRADE_IDS_END)
    if ts_recv is None:
        ts_recv = stamps.of_value(data["E"] if "E" in data else data["T"])
    if type(data["m"]) is not bool:
        raise MalformedFrameError(f"m {str(data['m'])[:40]!r} is neither true nor false")
    line = {
        "symbol": symbol, "ts_event": ts_event, "ts_recv": ts_recv,
        "price": _positive(data["p"], "p"), "qty": _positive(data["q"], "q"), "side": "sell" if data["m"] else "buy",
        "bid": None, "ask": None, "stream": "trade", "trade_id": trade_id, **(more or {}),
    }  # fmt: skip
    raw_line = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    return Event(Kind.TRADE, symbol, raw_line, ts_event, ts_recv, "M" in data)


def quote(data: dict[str, Any], ts_recv: int | None) -> Event:
    """Make the raw line of a best quote.

    Raises:
        MalformedFrameError: a value is not what the exchange documents, or there is no receive time.
        KeyError: a key is missing.
    """
    if ts_recv is None:
        raise MalformedFrameError("a quote without a receive time cannot be placed: spot's has no time of its own")
    symbol = _symbol(data["s"])
    line = {
        "symbol": symbol, "ts_event": None, "ts_recv": ts_recv, "price": None, "qty": None,
        "side": None, "bid": _decimal(data["b"], "b"), "ask": _decimal(data["a"], "a"), "stream": "bookTicker",
        "update_id": _whole(data["u"], "u"), "bid_qty": _decimal(data["B"], "B"), "ask_qty": _decimal(data["A"], "A"),
    }  # fmt: skip
    raw_line = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    return Event(Kind.QUOTE, symbol, raw_line, None, ts_recv)


def micros(time: Any) -> int:
    """Return a time of the exchange, milliseconds or microseconds, in microseconds since 1970 UTC.

    Raises:
        MalformedFrameError: it is neither, or not from 2009 to 2099.
    """
    number = _whole(time, "T")
    found = number if number >= _MICROSECONDS_FROM else number * 1000
    if not stamps.FIRST_US <= found < stamps.END_US:
        raise MalformedFrameError(f"T {number} is not from 2009 to 2099, in milliseconds or microseconds")
    return found


def _symbol(value: Any) -> str:
    return _known_symbol(value) if type(value) is str else checked(value)


_known_symbol = lru_cache(maxsize=4096)(checked)
"""A fifth of the time of a frame went into looking at its symbol's letters."""


def _whole(value: Any, key: str, end: int = _END) -> int:
    if type(value) is not int or not 0 <= value < end:
        raise MalformedFrameError(f"{key} {str(value)[:40]!r} is no whole number")
    return value


def _decimal(value: Any, key: str) -> str:
    if type(value) is not str or not _DECIMAL.match(value):
        raise MalformedFrameError(f"{key} {str(value)[:40]!r} is no decimal text")
    return value


def _positive(value: Any, key: str) -> str:
    """A price or quantity of 0 is no trade: the futures send such lines (``X`` is ``NA``)."""
    text = _decimal(value, key)
    if not text.strip("0."):
        raise MalformedFrameError(f"{key} {text!r} is not above 0")
    return text
