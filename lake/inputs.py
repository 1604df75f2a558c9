"""The files that a slice is made of, as they were: its receipt names them, and none of them may change meanwhile.

The lake goes on while a slice is written: late trades make an hour anew, compaction puts a day's hours into one file. A
slice of files from before and after would be one that the lake never held.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lake import selections
from lake.layout import Layout
from lake.slices import Slice


@dataclass(frozen=True)
class File:
    """A file, and what changes when it is written anew."""

    path: Path
    bytes: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True)
class Inputs:
    """The files, in the order in which they are read. Two are equal when no file has changed, come or gone."""

    files: tuple[File, ...]

    def told(self, layout: Layout) -> list[dict[str, Any]]:
        """Return each file's name below the lake's base, its size and, of a compacted day, its noted SHA-256."""
        return [
            {"path": file.path.relative_to(layout.base).as_posix(), "bytes": file.bytes} | _checksum(file.path)
            for file in self.files
        ]


def listed(layout: Layout, wanted: Slice) -> Inputs:
    """Return the files that a slice and its coverage read, each once; a file that goes meanwhile is left out."""
    found: dict[Path, File] = {}
    for symbol in wanted.symbols:
        if wanted.source == "bars":
            selection = selections.coverage(layout, [symbol], wanted.whole)
        else:
            selection = wanted.selection(layout, symbol, wanted.window)
        for path in selection.files:
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            found[path] = File(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    return Inputs(tuple(found.values()))


def _checksum(path: Path) -> dict[str, str]:
    beside = path.with_name(f"{path.name}.sha256")
    return {"sha256": beside.read_text(encoding="utf-8").split()[0]} if beside.exists() else {}
