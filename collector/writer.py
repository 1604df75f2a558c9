"""Raw lines to raw parts: appended as they come, named when whole, numbered on after a restart.

A part is one symbol's lines of one slot of `collector.rotate_seconds` and one UTC day, by the time they were received.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from io import FileIO
from itertools import groupby
from pathlib import Path

from lake import files, raw
from lake.layout import open_part_name
from lake.windows import DAY_US, SECOND_US, moment


@dataclass
class _Open:
    path: Path
    handle: FileIO
    slot: tuple[int, int]
    size: int = 0
    sha256: "hashlib._Hash" = field(default_factory=hashlib.sha256)


class Parts:
    """The open parts of every symbol. Not for two threads at once."""

    def __init__(
        self, folder_of: Callable[[str, date], Path], rotate_seconds: float, *, summed: bool = True
    ) -> None:  # fmt: skip
        """Write into the folder of a symbol and day; a part ends when its slot of ``rotate_seconds`` does.

        Its checksum is noted then (`lake.raw_sums`), unless it is not ``summed``.
        """
        self._summed = summed
        self._folder_of = folder_of
        self._slot_us = round(rotate_seconds * SECOND_US)
        self._open: dict[str, _Open] = {}
        self._has_ended = False
        self._sums: dict[Path, str] = {}
        self.unnamed: list[Path] = []
        """Parts that have ended and still have their hidden names."""
        self.closed = 0

    def append(self, symbol: str, ts_recv: int, lines: Iterable[bytes]) -> None:
        """Append lines received at ``ts_recv`` (microseconds since 1970 UTC) and hand them to the system.

        Raises:
            OSError: they could not be written; none of them is in the part, and they can be given again.
        """
        slot = (ts_recv // self._slot_us, ts_recv // DAY_US)
        part = self._open.get(symbol)
        if part is not None and part.slot != slot:
            self._end(symbol)
            part = None
        part = part or self._begin(symbol, ts_recv, slot)
        rest = memoryview(b"".join(lines))
        start, whole = part.size, rest
        try:
            while rest:
                written = part.handle.write(rest) or 0
                rest, part.size = rest[written:], part.size + written
        except OSError:
            os.ftruncate(part.handle.fileno(), start)
            part.handle.seek(start)
            part.size = start
            raise
        part.sha256.update(whole)

    def end_slots(self, now: int) -> None:
        """End the parts whose slot is over at ``now`` (microseconds since 1970 UTC), and name the parts that ended.

        Raises:
            OSError: a part cannot be given its name. All others have theirs, and the next part that ends tries again.
        """
        slot = (now // self._slot_us, now // DAY_US)
        self._end_all([name for name, part in self._open.items() if part.slot != slot])

    def close(self) -> None:
        """End every part, and name it.

        Raises:
            OSError: a part cannot be given its name; the next collector tries again.
        """
        self._has_ended = True
        self._end_all(list(self._open))

    def _begin(self, symbol: str, ts_recv: int, slot: tuple[int, int]) -> _Open:
        folder = self._folder_of(symbol, moment(ts_recv).date())
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / open_part_name(raw.next_number(folder))
        part = self._open[symbol] = _Open(path, path.open("xb", buffering=0), slot)
        return part

    def _end_all(self, symbols: list[str]) -> None:
        failed = []
        for symbol in symbols:
            try:
                self._end(symbol)
            except OSError as error:
                failed.append(error)
        if self._has_ended:
            self._has_ended = False
            failed += self._name_ended()
        if failed:
            raise failed[0]

    def _name_ended(self) -> list[OSError]:
        """Give the parts that have ended their own names; return why some cannot have theirs."""
        ended, self.unnamed, failed = self.unnamed, [], []
        sums: dict[Path, str] = {}
        for path in ended:
            try:
                named = raw.close(path)
                files.sync_folder(path.parent)
                sums[named] = self._sums.pop(path)
                self.closed += 1
            except OSError as error:
                failed.append(error)
                if isinstance(error, FileNotFoundError):  # such a part is gone, with its folder
                    self._sums.pop(path, None)
                else:
                    self.unnamed.append(path)
        if self._summed:
            raw.note_sums({path: sha256 for path, sha256 in sums.items() if path.exists()})
        return failed

    def _end(self, symbol: str) -> None:
        part, self._has_ended = self._open.pop(symbol), True
        self.unnamed.append(part.path)
        self._sums[part.path] = part.sha256.hexdigest()
        with part.handle:
            files.sync_open(part.handle.fileno())


def by_slot(timed: Iterable[tuple[int, bytes]], slot_us: int) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the lines of a symbol in runs that share a slot and a day: first receive time, lines."""
    for _, group in groupby(timed, key=lambda line: (line[0] // slot_us, line[0] // DAY_US)):
        run = list(group)
        yield run[0][0], [line for _, line in run]
