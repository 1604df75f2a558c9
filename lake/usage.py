"""What takes the space: files and bytes of the lake by kind and by symbol, and how much comes a day.

Among the data only the lake's own files count by kind and symbol (`lake.own_files`); foreign ones are ``other``.

A file's day is that in its path (``2025-10-20``, ``year=2025/month=10/day=20``), else the day it was last changed: so
what was fetched yesterday of a year ago is no growth of yesterday.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from lake import own_files
from lake.layout import Layout, day_of

KINDS = (
    "raw", "parquet", "backfill", "derivatives", "macro", "reports", "logs", "quarantine", "ledger", "Prefect",
    "temporary", "other",
)  # fmt: skip
_FOLDERS = {name: name for name in KINDS[:9]} | {".prefect": "Prefect"}
_SYMBOL_AT = {"raw": 2, "parquet": 2, "backfill": 2, "derivatives": 3, "macro": 2}
"""Which part of the path below the lake is the symbol's, or the ticker's."""
_PARTITION = re.compile(r"year=(\d{4})/month=(\d{2})/day=(\d{2})\Z")
GROWTH_DAYS = 7
"""Growth is that of the newest complete days, at most so many."""
_RATE_DAYS = 3


@dataclass
class Amount:
    """Some files: how many, their bytes, and of which days the newest complete ones are."""

    files: int = 0
    bytes: int = 0
    by_day: dict[date, tuple[int, int]] = field(default_factory=dict)

    def add(self, size: int, day: date, since: date, today: date) -> None:
        """Count a file."""
        self.files += 1
        self.bytes += size
        if since <= day < today:
            files, total = self.by_day.get(day, (0, 0))
            self.by_day[day] = files + 1, total + size

    @property
    def files_a_day(self) -> float:
        """Files that come a day."""
        return self._mean(0)

    @property
    def bytes_a_day(self) -> float:
        """Bytes that come a day."""
        return self._mean(1)

    def _mean(self, which: int) -> float:
        days = (max(self.by_day) - min(self.by_day)).days + 1 if self.by_day else 1
        return sum(found[which] for found in self.by_day.values()) / days


@dataclass
class Usage:
    """All files of a lake, by kind and by symbol; a symbol's by kind too."""

    kinds: dict[str, Amount] = field(default_factory=lambda: {name: Amount() for name in KINDS})
    symbols: dict[str, dict[str, Amount]] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(one.bytes for one in self.kinds.values())

    @property
    def files(self) -> int:
        """How many files."""
        return sum(one.files for one in self.kinds.values())

    @property
    def bytes_a_day(self) -> float:
        """Bytes that come a day."""
        return sum(one.bytes_a_day for one in self.kinds.values())

    def largest(self, most: int) -> list[tuple[str, dict[str, Amount]]]:
        """Return the symbols that take the most."""
        by_size = sorted(self.symbols.items(), key=lambda item: (-sum(one.bytes for one in item[1].values()), item[0]))
        return by_size[:most]


def measure(layout: Layout, today: date) -> Usage:
    """Look at every file of a lake. Links are not followed; what goes away meanwhile does not count."""
    found, since = Usage(), today - timedelta(days=GROWTH_DAYS)
    for folder, parts in _folders(str(layout.base)):
        kind = _FOLDERS.get(parts[0], "other") if parts else "other"
        at = _SYMBOL_AT.get(kind, 99)
        named, is_own = _day_of_folder(parts), _own(parts)
        for entry in _entries(folder):
            name = entry.name
            try:
                if not entry.is_file(follow_symlinks=False):
                    continue
                state = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            day = named or day_of(name[:10]) or datetime.fromtimestamp(state.st_mtime, UTC).date()
            which = kind if is_own(name) else "temporary" if own_files.is_temporary(name) else "other"
            found.kinds[which].add(state.st_size, day, since, today)
            if len(parts) > at and which != "other":
                by_kind = found.symbols.setdefault(parts[at], {})
                by_kind.setdefault(which, Amount()).add(state.st_size, day, since, today)
    return found


def rate(layout: Layout, today: date) -> Amount:
    """Return what the newest complete days of raw/ and parquet/ have, at most three of them; no more is looked at."""
    raw = {day for symbol in layout.raw_symbols() for day in _days_below(layout.raw / symbol) if day < today}
    bars = {day for symbol in layout.bar_symbols() for day in layout.compacted_days(symbol) if day < today}
    found = Amount()
    for day in sorted(raw | bars)[-_RATE_DAYS:]:
        folders = [layout.raw_day(symbol, day) for symbol in layout.raw_symbols()]
        folders += [layout.hour_folder(symbol, day) for symbol in layout.bar_symbols()]
        sizes = [size for folder in folders for size in _sizes(layout, folder)]
        for path in (layout.day_file(symbol, day) for symbol in layout.bar_symbols()):
            sizes += [path.stat().st_size] if path.exists() else []
        for size in sizes:
            found.add(size, day, day, today)
    return found


def size(count: float) -> str:
    """Write a number of bytes as people read it, in powers of ten."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5 or unit == "TB":
            return f"{count:,.0f} B" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    raise AssertionError


def _folders(top: str, parts: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield top, parts
    for entry in _entries(top):
        try:
            deeper = entry.is_dir(follow_symlinks=False)
        except OSError:
            continue
        if deeper:
            yield from _folders(entry.path, (*parts, entry.name))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # gone meanwhile, or not ours
        return []


def _own(parts: own_files.Parts) -> Callable[[str], bool]:
    """The check of the names of files in a folder that are the lake's; where it keeps no data, all are."""
    if parts and parts[0] in own_files.DATA:
        return own_files.names_in(parts)
    return lambda name: not own_files.is_temporary(name)


def _sizes(layout: Layout, folder: Path) -> Iterator[int]:
    is_own = own_files.names_in(folder.relative_to(layout.base).parts)
    for entry in _entries(str(folder)):
        try:
            if is_own(entry.name) and entry.is_file(follow_symlinks=False):
                yield entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue


def _day_of_folder(parts: tuple[str, ...]) -> date | None:
    if match := _PARTITION.search("/".join(parts[-3:])):
        return day_of("-".join(match.groups()))
    return day_of(parts[-1]) if parts else None


def _days_below(folder: Path) -> Iterator[date]:
    yield from (day for entry in _entries(str(folder)) if (day := day_of(entry.name)))
