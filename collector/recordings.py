"""Recordings made by others, brought into raw/ with their own receive times.

hftbacktest writes ``<receive time, microseconds> <frame>``, cryptofeed ``<receive time, seconds>: <frame>`` after a
first line that names the connection; gzip or plain. A file is taken in once: its SHA-256 is kept in ``ledger/imports``.
"""

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from collector.frames import Event, Kind, MalformedFrameError, parse
from lake import files, locks, quarantine, raw
from lake.errors import BadInputError
from lake.layout import Layout
from lake.windows import DAY_US, MINUTE_US, moment

_HFTBACKTEST = re.compile(rb"(\d{15,17}) (\{.*)\Z", re.DOTALL)
_CRYPTOFEED = re.compile(rb"(\d{9,10}(?:\.\d+)?): (.*)\Z", re.DOTALL)
_CONNECTION = re.compile(rb"wss?://\S+ <-> [\d.]+\Z")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Imported:
    """What a recording brought: events by kind, frames the lake does not keep, lines quarantined, parts written."""

    file: str
    trades: int
    quotes: int
    ignored: int
    quarantined: int
    parts: int
    symbols: tuple[str, ...]
    before: bool = False


def import_file(layout: Layout, path: Path, progress: Callable[[int], object] = lambda _: None) -> Imported:
    """Bring one recording into raw/, a part a symbol and minute of receive time.

    Taken in before, it changes nothing, and ``before`` is true. Trades that the lake holds already are held once. What
    can't be understood goes to the quarantine; depth and klines are not kept, and counted as ignored.

    Args:
        layout: the lake.
        path: the recording.
        progress: called with the bytes read since the last call.

    Raises:
        BadInputError: no such file, or no line of it is of a known format.
    """
    if not path.is_file():
        raise BadInputError(f"{path}: no such file")
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    receipt = layout.ledger.parent / "imports" / f"{digest}.json"
    if receipt.exists():
        known = json.loads(receipt.read_text(encoding="utf-8"))
        return Imported(**{**known, "symbols": tuple(known["symbols"]), "before": True})
    with locks.imports(layout):
        done = _Import(layout, path, digest).run(progress)
    files.write_text(receipt, json.dumps(asdict(done), indent=1) + "\n")
    return done


class _Import:
    def __init__(self, layout: Layout, path: Path, digest: str) -> None:
        self.layout, self.path, self.digest = layout, path, digest
        self.open: dict[str, tuple[int, list[bytes]]] = {}
        self.bad: list[tuple[int, str, bytes]] = []
        self.count: Counter[Kind] = Counter()
        self.symbols: set[str] = set()
        self.parts = 0

    def run(self, progress: Callable[[int], object]) -> Imported:
        understood = 0
        for offset, line in _lines(self.path):
            progress(len(line))
            text = line.rstrip(b"\r\n")
            if not text.strip() or _CONNECTION.match(text):
                continue
            try:
                ts_recv, frame = split(text)
                understood += 1
                event = parse(frame, ts_recv)
            except MalformedFrameError as error:
                self.bad.append((offset, str(error), text))
                continue
            self._take(event, ts_recv)
        if not understood:
            raise BadInputError(
                f"{self.path}: no line is a recorded frame: expected hftbacktest's or cryptofeed's format"
            )
        for symbol in list(self.open):
            self._write(symbol)
        self._quarantine()
        other = sum(n for kind, n in self.count.items() if kind not in (Kind.TRADE, Kind.QUOTE))
        return Imported(
            self.path.name, self.count[Kind.TRADE], self.count[Kind.QUOTE], other, len(self.bad), self.parts,
            tuple(sorted(self.symbols)),
        )  # fmt: skip

    def _take(self, event: Event, ts_recv: int) -> None:
        self.count[event.kind] += 1
        if not event.symbol:
            return
        self.symbols.add(event.symbol)
        slot = ts_recv // MINUTE_US
        if event.symbol in self.open and self.open[event.symbol][0] != slot:
            self._write(event.symbol)
        self.open.setdefault(event.symbol, (slot, []))[1].append(event.line)

    def _write(self, symbol: str) -> None:
        slot, lines = self.open.pop(symbol)
        day = moment(slot * MINUTE_US // DAY_US * DAY_US).date()
        folder = self.layout.raw_day(symbol, day)
        files.sweep(folder)
        raw.add_part(folder, b"".join(lines))
        self.parts += 1

    def _quarantine(self) -> None:
        if self.bad:
            target = self.layout.quarantine / "imports" / f"{self.path.name}.{self.digest[:8]}.jsonl"
            records = (quarantine.record(self.path.name, *each) + "\n" for each in self.bad)
            files.write_text(target, "".join(records))


def split(line: bytes) -> tuple[int, bytes]:
    """Split a recorded line into its receive time (microseconds since 1970 UTC) and its frame.

    Raises:
        MalformedFrameError: it is of neither format.
    """
    if match := _HFTBACKTEST.match(line):
        return int(match[1]), match[2]
    if match := _CRYPTOFEED.match(line):
        return int(Decimal(match[1].decode()) * 1_000_000), match[2]
    raise MalformedFrameError("no recorded frame")


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as handle:
        packed = handle.read(2) == _GZIP
    offset = 0
    try:
        with gzip.open(path) if packed else path.open("rb") as lines:
            for line in lines:
                yield offset, line
                offset += len(line)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise BadInputError(
            f"{path}: cannot be read after byte {offset:,} ({error}): nothing more is taken in"
        ) from None
