"""The life of one connection, as a pure state machine: it never awaits and is told the time.

Source: Binance spot "WebSocket Streams", General information: 24 hours at most, `serverShutdown` before the end, a ping
every 20 s that the library answers. That a subscription is acknowledged does not prove it: only data does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote as percent

from collector.frames import Event, Kind

SILENT_AFTER_S = 30.0
RENEW_AFTER_S = 23 * 3600.0
SETTLED_AFTER_S = 3.0  # told to leave again and again: at most 100 connections in 5 minutes, of 300 allowed
STREAMS_PER_CONNECTION = 1024


def url(base: str, symbols: Iterable[str]) -> str:
    """Return the address of a combined stream of trades and best quotes, with times in microseconds."""
    names = [f"{percent(symbol.lower())}@{channel}" for symbol in symbols for channel in ("trade", "bookTicker")]
    return f"{base}/stream?streams={'/'.join(names)}&timeUnit=MICROSECOND"


@dataclass
class Session:
    """One connection: when it began, and when data last came. Times are seconds of a clock that only goes forward."""

    began: float
    last_data: float = 0.0
    told_to_leave: bool = False

    def __post_init__(self) -> None:
        self.last_data = self.began

    def saw(self, event: Event, now: float) -> None:
        """Take note of a frame."""
        if event.kind in (Kind.TRADE, Kind.QUOTE):
            self.last_data = now
        elif event.kind is Kind.SHUTDOWN:
            self.told_to_leave = True

    def silent(self, now: float) -> bool:
        """Whether nothing but silence has come for so long that the connection must be given up."""
        return now - self.last_data > SILENT_AFTER_S

    def wants_successor(self, now: float) -> bool:
        """Whether another connection should take over while this one still delivers."""
        age = now - self.began
        return age > RENEW_AFTER_S or (self.told_to_leave and age > SETTLED_AFTER_S)
