"""Recordings made by others, brought into raw/ with their own receive times.

A file is read to its end before anything of it is placed: one that is of another market than Binance spot, or that
nobody can read, leaves nothing. It is taken in once: its SHA-256 is kept in ``ledger/imports``.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO

from collector import markets
from collector.formats import Cryptofeed, Format, Hftbacktest, TardisRaw, UnknownHostError
from collector.frames import Event, Kind, MalformedFrameError, OtherMarketError
from collector.objects import Jsonl, RawPart, TardisMachine
from collector.packing import LONGEST_LINE, Line, Packing
from collector.spill import Spill, scratch
from collector.tables import ArchiveAggregates, ArchiveTrades, TardisTrades
from lake import files, locks, quarantine
from lake.errors import BadInputError, LakeError
from lake.layout import Layout
from lake.progress import Progress, quiet
from lake.windows import DAY_US, iso, moment

FORMATS: dict[str, type[Format]] = {
    form.name: form
    for form in (
        Hftbacktest, Cryptofeed, TardisRaw, TardisMachine, RawPart, Jsonl, TardisTrades, ArchiveTrades,
        ArchiveAggregates,
    )
}  # fmt: skip
"""By name, in the order in which a line is tried: of the JSON objects the particular before the general."""
_ENOUGH, _LOOKED_AT_LINES, _LOOKED_AT_BYTES = 100, 1000, 32 << 20
"""To recognize a format: lines that are of one, lines at all, and their bytes."""
_NAME = 60
"""Letters of a file's name that its quarantine file has: a name of 255 bytes would leave no room for more."""
_NOTHING = "this lake holds Binance spot, so nothing of the file was imported"
_STATE = "if it is Binance spot, state it with --market spot; nothing of the file was imported"


@dataclass(frozen=True)
class Imported:
    """What a recording brought.

    Attributes:
        file: The file's name.
        trades: Trades, an aggregate counted once.
        quotes: Best quotes.
        ignored: Lines of its format that the lake does not keep: depth, klines, requests and their answers, headers.
        quarantined: Lines that cannot be understood.
        parts: Raw parts that its lines make.
        symbols: The symbols, in order.
        before: Whether the same file was imported before, so that nothing changed.
        format: The name of its format.
        lost: What of a torn or damaged gzip could not be read, a sentence each.
    """

    file: str
    trades: int
    quotes: int
    ignored: int
    quarantined: int
    parts: int
    symbols: tuple[str, ...]
    before: bool = False
    format: str = ""
    lost: tuple[str, ...] = ()


def check(paths: Sequence[Path], form: str | None = None, market: str | None = None) -> None:
    """Check what is asked for, before anything is done.

    Raises:
        BadInputError: there is no such file, format or market.
    """
    if form is not None and form not in FORMATS:
        raise BadInputError(f"format {form[:40]!r}: expected {', '.join(FORMATS)}")
    if market not in (None, "spot"):
        raise BadInputError(f"market {str(market)[:40]!r}: this lake holds Binance spot; expected spot")
    for path in paths:
        if str(path) == "-":
            raise BadInputError("-: standard input cannot be imported: write it to a file first")
        if path.is_dir():
            raise BadInputError(f"{path}: is a folder: name the files in it, such as {path / '*.gz'}")
        if not path.is_file():
            raise BadInputError(f"{path}: {'is no regular file' if path.exists() else 'no such file'}")


def import_file(
    layout: Layout, path: Path, *, market: str | None = None, form: str | None = None, progress: Progress = quiet
) -> Imported:
    """Bring one recording into raw/, in parts of a symbol and hour of receive time.

    Taken in before, it changes nothing, and ``before`` is true. Trades that the lake holds already are held once. What
    cannot be understood goes to the quarantine; depth and klines are not kept, and counted as ignored.

    Args:
        layout: the lake.
        path: the recording: text, gzip, or a zip with one member.
        market: ``spot`` where somebody states that it is of Binance spot.
        form: the name of its format in `FORMATS`; None recognizes it by its lines.
        progress: called with how much of the work is done.

    Raises:
        BadInputError: it cannot be imported: no file, of another market, of no known format, without trade or quote.
        LakeError: it changed while it was read, or the lake cannot be written.
    """
    check([path], form, market)
    with locks.imports(layout):
        state = path.stat()
        progress(0.0, "looking whether it was imported before")
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        receipt = layout.imports / f"{digest}.json"
        known = _known(receipt)
        if known and known.format and form in (None, known.format):
            return known
        with scratch(layout.imports) as folder:
            work = _Import(path, Packing.open(path, _part(progress, 0.0, 0.2)), folder)
            work.read(form, _part(progress, 0.2, 0.9), stated=market is not None)
            now = path.stat()
            if (now.st_size, now.st_mtime_ns) != (state.st_size, state.st_mtime_ns):
                raise LakeError(f"{path}: has changed while it was read: import it when its recorder has ended")
            if known and not known.format:  # imported by a version that did not look at the market
                done = replace(known, format=work.format)
            else:
                done = work.place(layout, digest, _part(progress, 0.9, 1.0))
        files.write_text(receipt, json.dumps(asdict(done), indent=1) + "\n")
    return done


class _Import:
    """One file on its way into the lake."""

    def __init__(self, path: Path, packing: Packing, folder: Path) -> None:
        self.path, self.packing = path, packing
        self.spill, self.bad = Spill(folder), folder / "quarantine"
        self.trades = self.quotes = self.ignored = self.quarantined = 0
        self.first_bad = self.format = ""

    def read(self, form: str | None, progress: Progress, *, stated: bool) -> None:
        """Read every line, and judge what market the file is of.

        Raises:
            BadInputError: it is not to be imported.
        """
        reader, lines = self._reader(form, self.packing.lines(progress), stated=stated)
        self.format = reader.name
        with self.bad.open("w", encoding="utf-8") as bad:
            for line in lines:
                if line.text.strip():
                    self._take(line, reader, bad)
            for lost in self.packing.lost:
                bad.write(quarantine.record(self.path.name, lost.start, lost.reason, b"") + "\n")
        if market := markets.of_name(self.path.name) or markets.of_name(self.packing.name):
            raise BadInputError(f"{self.path}: named as a recording of {market}: {_NOTHING}")
        if not self.trades and not self.quotes:
            raise BadInputError(f"{self.path}: no trade and no quote in it{self._instead()}; nothing was imported")

    def place(self, layout: Layout, digest: str, progress: Progress) -> Imported:
        """Put what has been read into the lake: parts first, so that a kill leaves an import to be made again."""
        symbols = tuple(self.spill.symbols)
        parts = self.spill.place(layout, lambda at, total: progress(at / total, f"placing hour {at:,} of {total:,}"))
        if self.quarantined or self.packing.lost:
            with files.whole(layout.quarantine / "imports" / f"{self.path.name[:_NAME]}.{digest[:8]}.jsonl") as hidden:
                shutil.copyfile(self.bad, hidden)
        return Imported(
            self.path.name, self.trades, self.quotes, self.ignored, self.quarantined, parts, symbols,
            format=self.format, lost=tuple(lost.reason for lost in self.packing.lost),
        )  # fmt: skip

    def _reader(self, form: str | None, lines: Iterator[Line], *, stated: bool) -> tuple[Format, Iterator[Line]]:
        """The format, given or that of most of the first lines, and all the lines."""
        seen: list[Line] = []
        fitting: Counter[str] = Counter()
        size = 0
        while form is None and fitting.total() < _ENOUGH and size < _LOOKED_AT_BYTES and len(seen) < _LOOKED_AT_LINES:
            line = next(lines, None)
            if line is None:
                break
            seen.append(line)
            size += len(line.text)
            fitting.update(name for name, kind in FORMATS.items() if not line.too_long and kind.fits(line.text))
        if form or fitting:
            name = form or max(FORMATS, key=lambda one: fitting[one])
            return FORMATS[name](self.packing.name, spot=stated), chain(seen, lines)
        if self.packing.lost:
            raise BadInputError(f"{self.path}: {self.packing.lost[0].reason}; nothing was imported")
        what = f"line 1 is {seen[0].text[:60].decode('utf-8', 'backslashreplace')!r}" if seen else "it is empty"
        raise BadInputError(f"{self.path}: of no known format ({what}): expected {', '.join(FORMATS)}")

    def _take(self, line: Line, reader: Format, bad: IO[str]) -> None:
        try:
            if not line.ended or line.too_long or line.doubtful:
                _check_whole(line, reader)
            event = reader.read(line.text)
            _check_times(event)
        except OtherMarketError as error:
            raise BadInputError(f"{self.path} line {line.number:,}: {error}: {_NOTHING}") from None
        except UnknownHostError as error:
            raise BadInputError(f"{self.path} line {line.number:,}: {error}: {_STATE}") from None
        except MalformedFrameError as error:
            self.quarantined += 1
            self.first_bad = self.first_bad or f"line {line.number:,}: {error}"
            bad.write(quarantine.record(self.path.name, line.offset, str(error), line.text) + "\n")
            return
        except BadInputError as error:
            raise BadInputError(f"{self.path}: {error}") from None
        if not event.spot and not reader.spot:
            why = "a trade without M, which Binance spot has and the futures have not"
            raise BadInputError(f"{self.path} line {line.number:,}: {why}: {_STATE}")
        if event.kind is Kind.TRADE:
            self.trades += 1
        elif event.kind is Kind.QUOTE:
            self.quotes += 1
        else:
            self.ignored += 1
            return
        self.spill.add(event.symbol, event.ts_recv, event.line)

    def _instead(self) -> str:
        other = f"{self.ignored:,} other lines, {self.quarantined:,} that cannot be understood"
        return f" ({other}{', the first on ' if self.first_bad else ''}{self.first_bad})"


def _check_whole(line: Line, reader: Format) -> None:
    if line.too_long:
        raise MalformedFrameError(f"a line of over {LONGEST_LINE >> 20} MiB")
    if line.doubtful:
        raise MalformedFrameError("it follows damaged data, so its beginning may be missing")
    if not line.ended and not reader.whole(line.text):
        raise MalformedFrameError("cut off: no line feed behind it")


def _check_times(event: Event) -> None:
    """Quarantine now what the transformer would (`sql/lines.sql`), so that no trade counts as imported and is not."""
    if event.ts_event is not None and event.ts_event > event.ts_recv + DAY_US:
        when = iso(moment(event.ts_event)), iso(moment(event.ts_recv))
        raise MalformedFrameError("traded at {}, more than a day after it was received at {}".format(*when))


def _known(receipt: Path) -> Imported | None:
    """What is noted of a file that was imported before; a note that cannot be read is none."""
    try:
        known = json.loads(receipt.read_text(encoding="utf-8"))
        lists = {name: tuple(known.get(name, ())) for name in ("symbols", "lost")}
        return Imported(**{**known, **lists, "before": True})
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return None


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda done, what: progress(start + (end - start) * done, what)
