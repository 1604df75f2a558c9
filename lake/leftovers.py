"""What killed processes leave in a lake, told apart from what living ones are writing.

``.NAME.PID-XXXXXXXX.tmp`` is a file being written (`lake.files`), ``.duckdb-PID-XXXXXXXX`` what a query did not hold in
memory (`lake.views`), ``.import-PID-XXXXXXXX`` the lines of a recording that is being imported, ``tmp_NAME`` beside a
data file what DuckDB's COPY writes, and ``.part_0001.jsonl.open`` a raw part (`lake.raw`). The first three name their
process; it may be one of another container that shares the folder, so what was touched minutes ago is left alone as
well.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from lake import locks, raw
from lake.layout import Layout

YOUNG_S = 600.0
_COPY_YOUNG_S = 86_400.0  # nothing says whose it is
_NAMED = re.compile(r"\.(?:.+\.(?P<file>\d+)-[0-9a-f]{8}\.tmp|(?:duckdb|import)-(?P<spill>\d+)-[0-9a-f]{8})\Z")
_COPY = re.compile(r"tmp_.+\.parquet\Z")
_DATA = {"parquet", "backfill", "derivatives", "macro"}
_CLOCK_S = 5.0


@dataclass
class Leftovers:
    """Files and folders to take away, raw parts to take over, and whether everything was looked at."""

    temporary: list[Path] = field(default_factory=list)
    spills: list[Path] = field(default_factory=list)
    open_parts: list[Path] = field(default_factory=list)
    whole: bool = True

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.temporary) + len(self.spills) + len(self.open_parts)


def find(layout: Layout, *, young_s: float = YOUNG_S, seconds: float = float("inf")) -> Leftovers:
    """Look for them, for at most so many seconds.

    Args:
        layout: The lake.
        young_s: What was changed within so many seconds is left alone.
        seconds: Then the search ends, and the answer says that it is not whole.
    """
    found, deadline, now = Leftovers(), time.monotonic() + seconds, time.time()
    for folder, name in _names(str(layout.base)):
        if time.monotonic() > deadline:
            found.whole = False
            break
        path = Path(folder, name)
        if name.startswith(".part_") and name.endswith(raw.OPEN):
            found.open_parts.append(path)
        elif match := _NAMED.match(name):
            if _left(path, int(match["file"] or match["spill"]), now - young_s):
                (found.temporary if match["file"] else found.spills).append(path)
        elif _COPY.match(name) and _kind(layout, folder) in _DATA and _changed(path) < now - _COPY_YOUNG_S:
            found.temporary.append(path)
    if found.open_parts and locks.is_held(layout, locks.collector):
        found.open_parts = []
    return found


def sweep(layout: Layout, found: Leftovers) -> Leftovers:
    """Take away files and spills, and take raw parts over; return what is done."""
    done = Leftovers(whole=found.whole)
    for path in found.temporary:
        with suppress(OSError):
            path.unlink()
            done.temporary.append(path)
    for path in found.spills:
        shutil.rmtree(path, ignore_errors=True)
        done.spills += [] if path.exists() else [path]
    folders = sorted({path.parent for path in found.open_parts})
    done.open_parts = raw.adopt_orphans(layout, folders)
    return done


def _names(top: str) -> Iterator[tuple[str, str]]:
    """Every name below a folder; that of a spill, and nothing in it."""
    try:
        with os.scandir(top) as entries:
            listed = list(entries)
    except OSError:
        return
    for entry in listed:
        yield top, entry.name
        with suppress(OSError):
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith((".duckdb-", ".import-")):
                yield from _names(entry.path)


def _kind(layout: Layout, folder: str) -> str:
    return (*Path(folder).relative_to(layout.base).parts, "")[0]


def _changed(path: Path) -> float:
    """When a file, or the newest file of a folder, was changed; now where it is gone."""
    try:
        inside = [one.stat().st_mtime for one in path.iterdir()] if path.is_dir() else []
        return max([path.lstat().st_mtime, *inside])
    except OSError:
        return float("inf")


def _left(path: Path, pid: int, before: float) -> bool:
    changed = _changed(path)
    return changed <= before and _dead(pid, changed)


def _dead(pid: int, changed: float) -> bool:
    """Whether the process is gone; one that began after the last change has only the same number."""
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or process.create_time() > changed + _CLOCK_S
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
