"""Raw lines on their way into the lake: sorted by symbol and hour on disk, and placed as parts all at once.

So a file of gigabytes takes little memory, one merged from two clocks makes as many parts as any other, and a file that
is refused at its last line leaves nothing.
"""

import os
import shutil
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lake import files, raw
from lake.errors import LakeError
from lake.layout import Layout
from lake.windows import HOUR_US, moment

MOST_BYTES = 64 << 20
"""Lines held in memory."""
PART_BYTES = 8 << 20
"""A part has about as much at most, so that an hour is read part by part."""


class Spill:
    """Lines by symbol and hour of receive time."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Keep in ``folder`` what exceeds ``most_bytes`` of memory."""
        self._folder, self._most = folder, most_bytes
        self._lines: defaultdict[tuple[str, int], bytearray] = defaultdict(bytearray)
        self._held = 0
        self._keys: set[tuple[str, int]] = set()

    def add(self, symbol: str, ts_recv: int, line: bytes) -> None:
        """Take a raw line, received at ``ts_recv`` (microseconds since 1970 UTC)."""
        self._lines[symbol, ts_recv // HOUR_US] += line
        self._held += len(line)
        if self._held > self._most:
            self._flush()

    @property
    def symbols(self) -> list[str]:
        """The symbols that have lines, in order."""
        return sorted({symbol for symbol, _ in self._keys | set(self._lines)})

    def place(self, layout: Layout, progress: Callable[[int, int], object]) -> int:
        """Put all lines into the lake as parts of each symbol and hour; return how many parts these are.

        The same lines make the same parts. One that lies in its folder already, put there by an import that was killed,
        is not put there again.

        Args:
            layout: the lake.
            progress: called with the number of symbol-hours placed, and of all.
        """
        self._flush()
        count = 0
        days: dict[Path, dict[int, list[Path]]] = {}
        for number, (symbol, hour) in enumerate(sorted(self._keys)):
            progress(number, len(self._keys))
            folder = layout.raw_day(symbol, moment(hour * HOUR_US).date())
            if folder not in days:
                days = {folder: _by_size(folder)}
            for data in _parts(self._path(symbol, hour)):
                count += 1
                if not any(path.read_bytes() == data for path in days[folder].get(len(data), ())):
                    raw.add_part(folder, data)
            self._path(symbol, hour).unlink()
        self._keys.clear()
        return count

    def _flush(self) -> None:
        for (symbol, hour), lines in self._lines.items():
            with self._path(symbol, hour).open("ab") as file:
                file.write(lines)
        self._keys |= set(self._lines)
        self._lines.clear()
        self._held = 0

    def _path(self, symbol: str, hour: int) -> Path:
        return self._folder / f"{symbol}-{hour}.jsonl"


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder below ``folder``; it is taken away when the block ends. Those of killed imports go before.

    Call it only while holding the lock of imports.

    Raises:
        LakeError: the disk is full, or cannot be written to.
    """
    for left in folder.glob(".import-*"):
        shutil.rmtree(left, ignore_errors=True)
    hidden = folder / f".import-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        hidden.mkdir(parents=True)
        yield hidden
    except OSError as error:
        raise LakeError(
            f"{hidden.parent}: cannot be written ({error.strerror or error}): check the folder and disk"
        ) from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _by_size(folder: Path) -> dict[int, list[Path]]:
    files.sweep(folder)
    found: dict[int, list[Path]] = defaultdict(list)
    for path in folder.glob("part_*.jsonl"):
        found[path.stat().st_size].append(path)
    return found


def _parts(path: Path) -> Iterator[bytes]:
    """Yield a file's lines, so many together as make a part."""
    with path.open("rb") as file:
        while lines := file.readlines(PART_BYTES):
            yield b"".join(lines)
