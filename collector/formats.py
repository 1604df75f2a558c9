"""What a line of a recording looks like: a format reads one line into an event. Pure: no file, no clock.

Formats are recognized by their lines (`fits`); those of CSV files are in `tables`. A format belongs to one file: it
keeps what the file's own lines show of its market.
"""

import re
from typing import Any, ClassVar

from collector import markets
from collector.frames import (
    REPLY,
    Event,
    MalformedFrameError,
    OtherMarketError,
    loaded,
    parse,
    quote,
    trade,
    understand,
)
from lake import stamps
from lake.errors import BadInputError


class UnknownHostError(MalformedFrameError):
    """A connection to a host of which it is not known what it serves."""


class Format:
    """One file's format.

    Attributes:
        name: What ``--format`` calls it.
        spot: Whether the file has shown by more than its frames that it is of Binance spot.
    """

    name: ClassVar[str]

    def __init__(self, file: str, *, spot: bool = False) -> None:
        """Begin a file.

        Args:
            file: Its name.
            spot: Whether somebody has stated that it is of Binance spot.
        """
        self.file, self.spot, self.stated = file, spot, spot

    @classmethod
    def fits(cls, line: bytes) -> bool:
        """Whether a line can only be of this format."""
        raise NotImplementedError

    def read(self, line: bytes) -> Event:
        """Understand a line.

        Raises:
            OtherMarketError: it shows that the file is not of Binance spot.
            UnknownHostError: it names a host that may serve any market, and nobody has stated the market.
            MalformedFrameError: it cannot be understood. The message is the reason.
        """
        raise NotImplementedError

    def whole(self, line: bytes) -> bool:
        """Whether a line without its line feed is surely not cut short: an object's end shows in JSON."""
        return line.endswith(b"}")


class Hftbacktest(Format):
    """``<receive time> <frame>``: hftbacktest's collectors write microseconds (until 2024) or nanoseconds."""

    name = "hftbacktest"
    _line = re.compile(rb"(\d{10,19}(?:\.\d*)?) (\{.*)\Z", re.DOTALL)

    @classmethod
    def fits(cls, line: bytes) -> bool:
        """A time, a space, and an object."""
        return cls._line.match(line) is not None

    def read(self, line: bytes) -> Event:
        """Understand the frame after the time."""
        match = self._line.match(line)
        if match is None:
            raise MalformedFrameError("no receive time with a frame behind it")
        return parse(match[2], received(match[1].decode()))


class TardisRaw(Hftbacktest):
    """``2025-10-20T00:00:00.1234567Z <frame>``: what tardis's HTTP API sends; an empty line is a disconnect."""

    name = "tardis-raw"
    _line = re.compile(rb"(\d{4}-\d\d-\d\dT[\d:.]+Z) (\{.*)\Z", re.DOTALL)


class Cryptofeed(Format):
    """``<receive time, seconds>: <frame>``, as cryptofeed's AsyncFileCallback writes.

    Its other lines are ``configuration: {…}``, ``ADDRESS <-> time`` (a connection), ``ADDRESS <- time: …`` (a request)
    and ``ADDRESS -> time: …`` (an answer by REST). Source: cryptofeed/raw_data_collection.py.
    """

    name = "cryptofeed"
    _line = re.compile(rb"(\d{10,19}(?:\.\d*)?): (.*)\Z", re.DOTALL)
    _address = re.compile(rb"((?:wss?|https?)://\S+) (?:<->|<-|->) [\d.]+(?:: .*)?\Z", re.DOTALL)
    _header = b"configuration: "

    @classmethod
    def fits(cls, line: bytes) -> bool:
        """Any of its lines."""
        return bool(cls._line.match(line) or cls._address.match(line)) or line.startswith(cls._header)

    def read(self, line: bytes) -> Event:
        """Understand the frame after the time; an address tells the market."""
        if match := self._line.match(line):
            return parse(match[2], received(match[1].decode()))
        if match := self._address.match(line):
            self._connected(match[1].decode("utf-8", "replace"))
            return REPLY
        if line.startswith(self._header):
            return REPLY
        raise MalformedFrameError("no line that cryptofeed writes")

    def _connected(self, url: str) -> None:
        market, address = markets.of_host(url), url.partition("?")[0][:80]
        if market == markets.SPOT:
            self.spot = True
        elif market is not None:
            raise OtherMarketError(f"a connection to {market} ({address})")
        elif not self.stated:
            raise UnknownHostError(f"a connection to {address}, which may serve any market")


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


def received(stamp: object) -> int:
    """Return a receive time in microseconds since 1970 UTC.

    Raises:
        MalformedFrameError: it is none.
    """
    try:
        return stamps.of_value(stamp)
    except BadInputError as error:
        raise MalformedFrameError(f"receive {error}") from None


FRAMES: tuple[type[Format], ...] = (RawPart, TardisMachine, Jsonl, Hftbacktest, TardisRaw, Cryptofeed)
