"""Raw parts: which are there, which changed, and those that a killed collector left open.

A part that is being written has the hidden name ``.part_0001.jsonl.open``. When it is rotated, or when the collector is
found dead, it takes its own name and is never written again.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from filelock import Timeout

from lake import files, locks
from lake.layout import Layout, day_of, part_name, part_number

OPEN = ".open"
_RACY_NS = 2_000_000_000


@dataclass(frozen=True, order=True)
class Part:
    """A raw part as it lies in its folder. ``mtime_ns`` and ``size`` (bytes) tell whether it has changed."""

    day: date
    name: str
    size: int
    mtime_ns: int

    def path(self, layout: Layout, symbol: str) -> Path:
        """Where the part lies."""
        return layout.raw_day(symbol, self.day) / self.name


def open_name(number: int) -> str:
    """The hidden name of a part that is being written."""
    return f".{part_name(number)}{OPEN}"


def next_number(folder: Path) -> int:
    """The number of the next part of a day folder: after every part that is there, open ones too."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    numbers = [part_number(name.removeprefix(".").removesuffix(OPEN)) or 0 for name in names]
    return max(numbers, default=0) + 1


def days(layout: Layout, symbol: str) -> dict[date, int]:
    """The raw day folders of a symbol with the time of their last change, in nanoseconds since 1970 UTC, in order."""
    root = layout.raw / symbol
    found = {}
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        day = day_of(path.name)
        if day is not None and path.is_dir():
            found[day] = path.stat().st_mtime_ns
    return found


def parts(layout: Layout, symbol: str, day: date) -> list[Part]:
    """The whole parts of a day folder, in order of their numbers."""
    found = []
    for path in layout.raw_day(symbol, day).iterdir():
        number = part_number(path.name)
        if number is not None and path.is_file():
            state = path.stat()
            found.append((number, Part(day, path.name, state.st_size, state.st_mtime_ns)))
    return [part for _, part in sorted(found)]


def settled(mtime_ns: int) -> bool:
    """Whether a folder's time of change is old enough that another change would surely have another time.

    A file system's clock ticks every few milliseconds; a change within the same tick as the last cannot be seen by it.
    The clock is asked here because the answer only saves a listing and never changes what is built.
    """
    return time.time_ns() - mtime_ns > _RACY_NS


def adopt_orphans(layout: Layout, folders: Iterator[Path] | list[Path]) -> list[Path]:
    """Give the parts that a killed collector left open their own names, unless a collector is running.

    What was flushed is kept; a last line that is torn costs itself alone when the part is read.
    """
    orphans = [path for folder in folders if folder.is_dir() for path in folder.glob(f".part_*{OPEN}")]
    if not orphans:
        return []
    try:
        with locks.collector(layout).acquire(timeout=0):
            return [close(path) for path in orphans if path.exists()]
    except Timeout:
        return []


def close(path: Path) -> Path:
    """Give an open part its own name, or the next free one; an empty one is taken away. Returns its path."""
    if path.stat().st_size == 0:
        path.unlink()
        return path
    final = path.with_name(path.name.removeprefix(".").removesuffix(OPEN))
    final = _link(path, final)
    path.unlink()
    return final


def _link(hidden: Path, path: Path) -> Path:
    """Give a hidden file a part's name, another if it is taken: a link fails there, where a rename would overwrite."""
    while True:
        try:
            path.hardlink_to(hidden)
        except FileExistsError:
            path = path.with_name(part_name(next_number(path.parent)))
        else:
            return path


def add_part(folder: Path, data: bytes) -> Path:
    """Put a whole part into a day folder under the next free number, and return its path.

    The number is taken by a link, which fails where another process has just taken the same, and never overwrites.
    """
    with files.scratch(folder) as hidden:
        with hidden.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        path = _link(hidden, folder / part_name(next_number(folder)))
        files.sync_folder(folder)
    return path
