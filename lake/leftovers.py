"""What does not belong into a lake: foreign files, and what killed processes left (not what living ones write).

``.NAME.PID-XXXXXXXX.tmp`` is a file being written (`lake.files`), ``.duckdb-PID-XXXXXXXX`` what a query did not hold in
memory (`lake.views`), ``.import-PID-XXXXXXXX`` the lines of a recording that is being imported, ``tmp_NAME`` beside a
data file what DuckDB's COPY writes, and ``.part_0001.jsonl.open`` a raw part (`lake.raw`). The first three name their
process; it may be one of another container that shares the folder, so what was touched minutes ago is left alone as
well. Foreign files (`lake.own_files`) are only counted: they are somebody's.
"""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from lake import files, locks, own_files, raw
from lake.layout import Layout, open_part_number

YOUNG_S = 600.0
_COPY_YOUNG_S = 86_400.0  # nothing says whose it is
_SPILL = re.compile(r"\.(?:duckdb|import)-(?P<pid>[0-9]+)-[0-9a-f]{8}")
_COPY = re.compile(r"tmp_.+\.parquet\Z")
_CLOCK_S = 5.0
_SHOWN = 3


@dataclass
class Leftovers:
    """Files and folders to remove, raw parts to take over, foreign files, and whether everything was looked at.

    ``foreign`` counts files and whole folders among the data that no reader takes; ``examples`` has the first of them.
    """

    temporary: list[Path] = field(default_factory=list)
    spills: list[Path] = field(default_factory=list)
    open_parts: list[Path] = field(default_factory=list)
    foreign: int = 0
    examples: list[Path] = field(default_factory=list)
    whole: bool = True

    @property
    def count(self) -> int:
        """How many were left by killed processes."""
        return len(self.temporary) + len(self.spills) + len(self.open_parts)


def find(layout: Layout, *, young_s: float = YOUNG_S, seconds: float = float("inf")) -> Leftovers:
    """Look for them, for at most so many seconds.

    Args:
        layout: The lake.
        young_s: What was changed within so many seconds is left alone.
        seconds: Then the search ends, and the answer says that it is not whole.
    """
    found, deadline, now = Leftovers(), time.monotonic() + seconds, time.time()
    for parts, name, is_folder in _walk(str(layout.base)):
        if time.monotonic() > deadline:
            found.whole = False
            break
        place = partial(layout.base.joinpath, *parts, name)
        if open_part_number(name) is not None:
            found.open_parts.append(place())
        elif match := files.TEMPORARY.fullmatch(name) or _SPILL.fullmatch(name):
            if _left(place(), int(match["pid"]), now - young_s):
                (found.spills if is_folder else found.temporary).append(place())
        elif not (parts and parts[0] in own_files.DATA):
            continue
        elif _COPY.match(name) and parts[0] != "raw":
            found.temporary += [place()] if _changed(place()) < now - _COPY_YOUNG_S else []
        elif not (own_files.is_folder((*parts, name)) if is_folder else own_files.names_in(parts)(name)):
            found.foreign += 1
            found.examples += [place()] if len(found.examples) < _SHOWN else []
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


def _walk(top: str, parts: own_files.Parts = ()) -> Iterator[tuple[own_files.Parts, str, bool]]:
    """Every name below a folder: the path of its folder, itself, and whether it is a folder.

    Of a spill, a temporary folder or a foreign folder nothing inside; of a link to a folder neither.
    """
    try:
        with os.scandir(top) as entries:
            listed = list(entries)
    except OSError:
        return
    for entry in listed:
        deeper = False
        with suppress(OSError):
            deeper = entry.is_dir()
        yield parts, entry.name, deeper
        inside = (*parts, entry.name)
        with suppress(OSError):
            if deeper and not entry.is_symlink() and _is_walked(inside):
                yield from _walk(entry.path, inside)


def _is_walked(parts: own_files.Parts) -> bool:
    if files.TEMPORARY.fullmatch(parts[-1]) or _SPILL.fullmatch(parts[-1]):
        return False
    return parts[0] not in own_files.DATA or own_files.is_folder(parts)


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
