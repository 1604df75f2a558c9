"""The scrub behind `crypto-lake verify`: everything that the lake has published, compared with its checksums.

What was verified longest ago comes first, so that a run may end after some seconds and the next one goes on
(`lake.verified`). A damaged file goes to ``quarantine/damaged`` (`lake.damage`). Bars are built again from raw parts at
once; what was downloaded is downloaded again by a command, which is reported. A file without a checksum, which an
earlier version wrote, is trusted once: when it can be read to its last page, it gets a ``.sha256`` beside it.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from lake import checksums, compact, damage, files, hour_bars, locks, raw, raw_sums, read, receipts, transform, verified
from lake.errors import BadInputError, DamagedError, LakeError
from lake.layout import Layout
from lake.ledger import Ledger
from lake.progress import Progress, quiet
from lake.scrub_items import Item, items
from lake.windows import floor_hour, micros

_SAVE_S = 20.0
_LOCK_S = 60.0
_AGAIN = "run crypto-lake verify again"


@dataclass(frozen=True)
class Damage:
    """What was found damaged, how that shows, and what was done about it or what there is to do."""

    path: str
    why: str
    done: str

    @property
    def line(self) -> str:
        """It in one line."""
        return f"{self.path}: {self.why}: {self.done}"


@dataclass
class Scrubbed:
    """What a run did.

    Attributes:
        items: Items that were verified.
        files: Files in them.
        bytes: Their size.
        adopted: Files that had no checksum and have one now.
        left: Items that this run did not come to.
        damaged: What was damaged.
    """

    items: int = 0
    files: int = 0
    bytes: int = 0
    adopted: int = 0
    left: int = 0
    damaged: list[Damage] = field(default_factory=list)

    @property
    def line(self) -> str:
        """It in one line, without what is damaged."""
        gigabytes = self.bytes / 1e9
        adopted = f"; {self.adopted:,} had no checksum and have one now" if self.adopted else ""
        left = f"; {self.left:,} items are left for the next run" if self.left else ""
        return f"{self.files:,} files verified ({gigabytes:,.2f} GB): {len(self.damaged):,} damaged{adopted}{left}"


def run(
    layout: Layout, now: datetime, compression: str = "snappy", seconds: float = float("inf"),
    progress: Progress = quiet,
) -> Scrubbed:  # fmt: skip
    """Verify the lake, at most for so many seconds.

    Args:
        layout: The lake.
        now: The present time; days before its UTC day are compacted again when they had to be built again.
        compression: Parquet's codec for what is built again.
        seconds: Then no further item is begun.
        progress: Told before each item.

    Raises:
        LakeError: the lake cannot be written to.
    """
    known, found = verified.noted(layout), {item.name: item for item in items(layout)}
    scrub = _Scrub(layout, now.date(), compression)
    scrub.vanished(name for name in known if name not in found)
    when = {name: known.get(name, 0) for name in found}
    order = sorted(found, key=lambda name: (when[name], name))
    deadline, save_at = time.monotonic() + seconds, time.monotonic() + _SAVE_S
    try:
        for number, name in enumerate(order):
            if time.monotonic() > deadline:
                break
            progress(number / len(order), name)
            scrub.verify(found[name])
            when[name] = micros(now)
            if found[name].kind == "file" and not (layout.base / name).exists():
                del when[name]  # it was set aside, and that is reported
            if time.monotonic() > save_at:
                verified.note(layout, when)
                save_at = time.monotonic() + _SAVE_S
    finally:
        verified.note(layout, when)
    scrub.done.left = len(order) - scrub.done.items
    return scrub.done


class _Scrub:
    """One run: verifies items, repairs, and keeps account."""

    def __init__(self, layout: Layout, today: date, compression: str) -> None:
        self.layout, self._today, self._compression, self.done = layout, today, compression, Scrubbed()

    def verify(self, item: Item) -> None:
        """Verify an item. Whatever is wrong with it is reported, and the others are verified all the same."""
        try:
            if item.kind == "bars":
                self._bars(item.symbol, item.day)
            elif item.kind == "raw":
                self._raw(item.symbol, item.day)
            elif item.kind == "slice":
                self._slice(self.layout.base / item.name)
            else:
                self._file(self.layout.base / item.name, item.lock)
        except Timeout:
            self._tell(item.name, f"in use for {_LOCK_S:.0f} s", _AGAIN)
        except (LakeError, OSError) as error:
            self._tell(item.name, str(error), _AGAIN)
        self.done.items += 1

    def vanished(self, gone: Iterable[str]) -> None:
        """Report what is not there any more: hours that the ledger knows, and files that were verified before."""
        for name in gone:
            path = self.layout.base / name
            if name.split("/")[0] in ("backfill", "derivatives", "macro") and not path.exists():
                self._tell(name, "it was verified before and is gone", damage.remedy(self.layout, path))
        if not self.layout.ledger.exists():
            return
        for symbol in self.layout.raw_symbols():
            with Ledger(self.layout, symbol) as ledger:
                hours = hour_bars.vanished(self.layout, ledger)
            for day in sorted({floor_hour(hour).date() for hour in hours}):
                self._rebuild(symbol, day, [], [hour for hour in hours if floor_hour(hour).date() == day])

    def _tell(self, path: Path | str, why: str, done: str) -> None:
        name = path.relative_to(self.layout.base).as_posix() if isinstance(path, Path) else path
        self.done.damaged.append(Damage(name, why, done))

    def _read(self, path: Path) -> checksums.Read:
        """Read a file and verify it; its pages too where there is no checksum to compare it with."""
        found = checksums.read(path)
        with files.opened(path, found) as handle:
            if not found.verified:
                try:
                    handle.read()
                except Exception as error:
                    raise DamagedError(path, f"cannot be read to its end: {str(error)[:200]}") from error
        return found

    def _file(self, path: Path, lock: FileLock | None) -> None:
        """Verify a file that a command downloads or makes again."""
        try:
            found = self._read(path)
        except FileNotFoundError:
            return
        except DamagedError as error:
            with _held(lock):
                if damage.set_aside(self.layout, error):
                    self._tell(path, f"damaged ({error.why}) and set aside", damage.remedy(self.layout, path))
            return
        self._count(found)
        if not found.verified:
            with _held(lock):
                self._adopt(path, found)

    def _count(self, found: checksums.Read) -> None:
        self.done.files += 1
        self.done.bytes += len(found.data)

    def _adopt(self, path: Path, found: checksums.Read) -> None:
        if checksums.read(path).sha256 == found.sha256:
            files.write_text(checksums.beside(path), checksums.line(found.sha256, path.name))
            self.done.adopted += 1

    def _bars(self, symbol: str, day: date) -> None:
        """Verify a day's bars: its files, and that no hour is missing which the ledger knows."""
        broken: list[DamagedError] = []
        whole, lock = self.layout.day_file(symbol, day), locks.bars(self.layout, symbol)
        for path in (whole, *self.layout.hour_files(symbol, day).values()):
            try:
                found = self._read(path)
            except FileNotFoundError:
                continue
            except DamagedError as error:
                broken.append(error)
                continue
            self._count(found)
            if not found.verified:
                with _held(lock):
                    self._adopt(path, found)
            elif path == whole and checksums.noted_beside(path) != found.sha256:
                with _held(lock):
                    compact.sign(read.signed(path)[1], compact.checksum_file(self.layout, symbol, day))
        if broken or self._short(symbol, day):
            with _held(lock), Ledger(self.layout, symbol) as ledger:
                broken = [error for error in broken if hour_bars.set_aside(self.layout, ledger, error, day)]
                short = self._short(symbol, day)
                ledger.mark_dirty(short)
            if broken or short:
                self._rebuild(symbol, day, broken, short)

    def _short(self, symbol: str, day: date) -> list[int]:
        """The hours of a day of which bars are missing that the ledger knows, and that are not about to be built."""
        if not self.layout.ledger.exists():
            return []
        with Ledger(self.layout, symbol) as ledger:
            known = [hour for hour in ledger.built_hours(day) if not ledger.is_dirty(hour)]
            try:
                return hour_bars.short(read.day(self.layout, symbol, day), ledger, known) if known else []
            except DamagedError:
                return []

    def _rebuild(self, symbol: str, day: date, broken: list[DamagedError], short: list[int]) -> None:
        """Build a day again from raw parts, and compact it again where it is over; report what came of it."""
        try:
            built = transform.run(self.layout, symbol, None, self._compression)
            rows = len(read.day(self.layout, symbol, day))
            if day < self._today and rows:
                compact.run(self.layout, symbol, day, self._compression)
            done = "built again from its raw parts"
            if built.lost or not rows:
                hours = f"{built.lost} of its hours" if rows else "it"
                done = f"{hours} cannot be built again, as raw parts are gone: restore a backup"
        except LakeError as error:
            done = f"not built again: {error}"
        for one in broken:
            self._tell(one.path, f"damaged ({one.why}) and set aside", done)
        for hour in short:
            self._tell(self.layout.hour_file(symbol, floor_hour(hour)), "bars of this hour are gone", done)

    def _raw(self, symbol: str, day: date) -> None:
        paths = [part.path(self.layout, symbol) for part in raw.parts(self.layout, symbol, day)]
        sizes = {path: path.stat().st_size for path in paths}
        damaged, new = raw_sums.verify(paths)
        self.done.files += len(paths)
        self.done.bytes += sum(sizes.values())
        self.done.adopted += new
        for error in damaged:
            with _held(locks.bars(self.layout, symbol)), Ledger(self.layout, symbol) as ledger:
                if damage.set_aside(self.layout, error):
                    ledger.lose(day, [error.path.name])
                    done = damage.remedy(self.layout, error.path)
                    self._tell(error.path, f"damaged ({error.why}) and set aside", done)

    def _slice(self, path: Path) -> None:
        try:
            receipts.verify(path)
        except BadInputError:  # it was moved away, and its receipt was not
            return
        except LakeError as error:
            self._tell(path, str(error).removeprefix(f"{path}: "), "export it again")
        self.done.files += 1
        self.done.bytes += path.stat().st_size


@contextmanager
def _held(lock: FileLock | None) -> Iterator[None]:
    """Hold a lock, and wait for it no longer than a minute."""
    if lock is None:
        yield
        return
    with lock.acquire(timeout=_LOCK_S):
        yield
