"""What a line of a recording looks like: a format reads one line into an event. Pure: no file, no clock.

Formats are recognized by their lines (`fits`). A format belongs to one file: it keeps what the file's own lines show
of its market. Here are those that put the receive time before the frame; `objects` has those of JSON, `tables` those of
CSV files.
"""

import re
from typing import ClassVar

from collector import markets
from collector.frames import (
    REPLY,
    Event,
    MalformedFrameError,
    OtherMarketError,
    parse,
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


def received(stamp: object) -> int:
    """Return a receive time in microseconds since 1970 UTC.

    Raises:
        MalformedFrameError: it is none.
    """
    try:
        return stamps.of_value(stamp)
    except BadInputError as error:
        raise MalformedFrameError(f"receive {error}") from None
