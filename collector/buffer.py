"""What has been received and not yet written. Pure: it is handed frames with their times, and handed out whole."""

from collections import defaultdict
from collections.abc import Iterable

from collector.frames import Event, MalformedFrameError, parse
from lake.quarantine import record

MOST_LINES = 2_000_000
Timed = list[tuple[int, bytes]]
Lines = dict[str, Timed]


class Buffer:
    """Raw lines by symbol, in the order received, and what is to be quarantined."""

    def __init__(self, symbols: Iterable[str]) -> None:
        """Take events of these symbols; others are counted as ignored."""
        self._symbols = frozenset(symbols)
        self.lines: defaultdict[str, list[tuple[int, bytes]]] = defaultdict(list)
        self.bad: list[tuple[int, bytes]] = []
        self.latencies: list[int] = []
        self.waiting = 0
        self.trades = self.quotes = self.quarantined = self.ignored = 0

    def take(self, frame: str | bytes, ts_recv: int) -> Event | None:
        """Take in one frame received at ``ts_recv`` (microseconds since 1970 UTC); None if it is malformed."""
        try:
            event = parse(frame, ts_recv)
        except MalformedFrameError as error:
            self._refuse(frame, ts_recv, str(error))
            return None
        if event.symbol in self._symbols:
            self.lines[event.symbol].append((ts_recv, event.line))
            self.waiting += 1
            if event.ts_event is not None:  # a trade
                self.trades += 1
                self.latencies.append(ts_recv - event.ts_event)
            else:
                self.quotes += 1
        else:
            self.ignored += 1
        return event

    def _refuse(self, frame: str | bytes, ts_recv: int, reason: str) -> None:
        self.quarantined += 1
        data = frame.encode("utf-8", "replace") if isinstance(frame, str) else frame
        self.bad.append((ts_recv, (record("frame", ts_recv, reason, data) + "\n").encode()))

    def hand_out(self) -> tuple[Lines, Timed]:
        """Return the lines, and the records for the quarantine, and forget both."""
        lines, self.lines, self.waiting = dict(self.lines), defaultdict(list), 0
        bad, self.bad = self.bad, []
        return lines, bad

    def hand_out_latencies(self) -> list[int]:
        """Return, and forget, by how many µs each trade was received after its time."""
        found, self.latencies = self.latencies, []
        return found

    def give_back(self, lines: Lines, bad: Timed) -> None:
        """Take back what could not be written, before what has come since."""
        self.bad = bad + self.bad
        for symbol, older in lines.items():
            self.lines[symbol] = older + self.lines[symbol]
            self.waiting += len(older)
