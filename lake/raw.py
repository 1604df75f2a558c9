"""Raw parts: which are there, which changed, and those that a killed collector left open.

A part that is being written has the hidden name ``.part_0001.jsonl.open``. When it is rotated, or when the collector is
found dead, it takes its own name and is never written again.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from filelock import Timeout
from loguru import logger

from lake import files, locks, raw_sums
from lake.layout import Layout, day_of, open_part_number, part_name, part_number

_RACY_NS = 3_000_000_000


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


def open_parts(folder: Path) -> list[Path]:
    """The parts of a day folder that are being written, or that a killed collector left open."""
    paths = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in paths if open_part_number(path.name) is not None)


def next_number(folder: Path) -> int:
    """The number of the next part of a day folder: after every part that is there, open ones too."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    numbers = [part_number(name) or open_part_number(name) or 0 for name in names]
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
    """Whether a folder's time of change is old enough that any change from now on will give it another.

    Ask before the folder is listed. FAT counts in steps of 2 seconds, other file systems in milliseconds.
    The clock is asked here because the answer only saves a listing and never changes what is built.
    """
    return time.time_ns() - mtime_ns > _RACY_NS


def adopt_orphans(layout: Layout, folders: Iterable[Path]) -> list[Path]:
    """Give the parts that a killed collector left open their own names, unless a collector is running.

    What was flushed is kept; a last line that is torn costs itself alone when the part is read.
    """
    orphans = [path for folder in folders for path in open_parts(folder)]
    if not orphans:
        return []
    try:
        with locks.collector(layout).acquire(timeout=0):
            return take_over(orphans)
    except Timeout:
        return []


def take_over(orphans: Iterable[Path]) -> list[Path]:
    """Give open parts their own names, and log those that cannot have one. Call it with the collector's lock held."""
    done = []
    for path in orphans:
        try:
            done.append(close(path))
        except FileNotFoundError:  # somebody else has named it, or removed it
            continue
        except OSError as error:
            logger.warning("{}: cannot be given its own name, so it is not read ({}): check the disk", path, error)
    with suppress(OSError):
        note_sums({path: raw_sums.of(path) for path in done if path.exists()})
    return done


def note_sums(sums: Mapping[Path, str]) -> None:
    """Note the SHA-256 of parts that have been given their names. What cannot be noted is when it is first read."""
    for folder in {path.parent for path in sums}:
        with suppress(OSError):
            raw_sums.add(folder, {path.name: sha256 for path, sha256 in sums.items() if path.parent == folder})


def close(path: Path) -> Path:
    """Give an open part its own name, or the next free one; an empty one is removed. Returns its path.

    Raises:
        OSError: it cannot be given a name; it keeps its hidden one.
    """
    if path.stat().st_size == 0:
        path.unlink()
        return path
    return _named(path, path.with_name(part_name(open_part_number(path.name) or next_number(path.parent))))


def _named(hidden: Path, path: Path) -> Path:
    """Give a hidden file a part's name, or a later one where that is taken."""
    while True:
        try:
            files.place(hidden, path)
        except FileExistsError:
            # Not the same number again: to some disks a PART_0007.JSONL that nobody lists is in the way too.
            number = max(next_number(path.parent), (part_number(path.name) or 0) + 1)
            path = path.with_name(part_name(number))
        else:
            return path


def add_part(folder: Path, data: bytes) -> Path:
    """Put a whole part into a day folder under the next free number, and return its path.

    Another process may take a number at the same time: then the part gets a later one (`lake.files.place`).
    """
    with files.scratch(folder) as hidden:
        with hidden.open("wb") as handle:
            handle.write(data)
        files.sync(hidden)
        path = _named(hidden, folder / part_name(next_number(folder)))
        files.sync_folder(folder)
    note_sums({path: hashlib.sha256(data).hexdigest()})
    return path
