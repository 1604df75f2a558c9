"""The formats of which each line is a JSON object. Pure: no file, no clock."""

from typing import Any

from collector.formats import Format, received
from collector.frames import REPLY, Event, MalformedFrameError, loaded, quote, trade, understand
from lake.errors import BadInputError


class Jsonl(Format):
    """A JSON object a line: a frame as it came, or one beside its receive time, such as ``{"ts":…,"raw":{…}}``.

    The frame is under one of `_BODIES`, as an object or as text, or is the line itself with the time added to it.
    """

    name = "jsonl"
    _BODIES = ("raw", "message", "msg", "frame", "payload", "event", "body", "data")
    _RECEIVED = frozenset(
        {
            "localtimestamp", "localts", "localtime", "tsrecv", "recvts", "recvtime", "recvtimestamp", "receivetime",
            "receivets", "receivetimestamp", "receivedat", "receivedtime", "received", "recv", "arrivaltime", "tslocal",
        }
    )  # fmt: skip
    _TIMES = frozenset({"ts", "tsns", "tsus", "tsms", "time", "timestamp", "timestampns", "timestampus", "timestampms"})

    @classmethod
    def fits(cls, line: bytes) -> bool:
        """A JSON object."""
        try:
            return line.startswith(b"{") and bool(loaded(line))
        except MalformedFrameError:
            return False

    def read(self, line: bytes) -> Event:
        """Understand the frame in the object."""
        if line == b"null":  # tardis-machine: a disconnect
            return REPLY
        message = loaded(line)
        stamp = self._stamp(message)
        return understand(self._frame(message), None if stamp is None else received(stamp))

    def _frame(self, message: dict[str, Any]) -> dict[str, Any]:
        if "stream" in message and "data" in message:
            return message
        for key in self._BODIES:
            body = message.get(key)
            if isinstance(body, dict):
                return body
            if isinstance(body, str) and body.startswith("{"):
                return loaded(body)
        return message

    def _stamp(self, message: dict[str, Any]) -> Any:
        """The receive time; a name that says so goes before one that only says time."""
        named = [(key.replace("_", "").lower(), key) for key in message if len(key) > 1]
        for names in (self._RECEIVED, self._TIMES):
            for name, key in named:
                if name in names and message[key] is not None:
                    return message[key]
        return None


class TardisMachine(Jsonl):
    """``{"localTimestamp":"2025-10-20T00:00:00.123Z","message":<frame>}``, as tardis-machine's ``/replay`` sends."""

    name = "tardis-machine"

    @classmethod
    def fits(cls, line: bytes) -> bool:
        """Its two keys, in its order."""
        return line.startswith(b'{"localTimestamp":') and super().fits(line)


class RawPart(Format):
    """A raw line of another lake of crypto-lake, which has followed Binance spot."""

    name = "crypto-lake"

    def __init__(self, file: str, *, spot: bool = False) -> None:
        """Begin a file; a lake holds spot alone."""
        super().__init__(file, spot=spot)
        self.spot = True

    @classmethod
    def fits(cls, line: bytes) -> bool:
        """A JSON object with a raw line's keys."""
        try:
            return line.startswith(b"{") and loaded(line).keys() >= {"symbol", "ts_event", "ts_recv", "stream", "bid"}
        except MalformedFrameError:
            return False

    def read(self, line: bytes) -> Event:
        """Make the same raw line again, so that each value is checked."""
        message = loaded(line)
        try:
            ts_recv, symbol, stream = received(message["ts_recv"]), message["symbol"], message["stream"]
            if stream == "bookTicker":
                keys = {"u": "update_id", "b": "bid", "B": "bid_qty", "a": "ask", "A": "ask_qty"}
                return quote({"s": symbol, **{ours: message[key] for ours, key in keys.items()}}, ts_recv)
            if stream != "trade" or message["side"] not in ("buy", "sell"):
                raise MalformedFrameError("neither a trade with its side nor a bookTicker")
            more = {"first_trade_id": message["first_trade_id"]} if "first_trade_id" in message else None
            keys = {"t": "trade_id", "p": "price", "q": "qty", "T": "ts_event"}
            data = {ours: message[key] for ours, key in keys.items()}
            return trade({"s": symbol, "m": message["side"] == "sell", **data}, ts_recv, more)
        except KeyError as error:
            raise MalformedFrameError(f"key {error} is missing") from None
        except BadInputError as error:
            raise MalformedFrameError(str(error)) from None
