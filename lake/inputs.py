"""The files that a slice is made of, as they were: verified first, named by its receipt, and unchanged meanwhile.

The lake goes on while a slice is written: late trades make an hour anew, compaction puts a day's hours into one file. A
slice of files from before and after would be one that the lake never held.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lake import checksums, selections
from lake.errors import LakeError
from lake.layout import Layout
from lake.slices import Slice


@dataclass(frozen=True)
class File:
    """A file, what changes when it is written again, and the SHA-256 of its bytes once it was `verified`."""

    path: Path
    bytes: int
    mtime_ns: int
    inode: int
    sha256: str = field(default="", compare=False)


@dataclass(frozen=True)
class Inputs:
    """The files, in the order in which they are read. Two are equal when no file has changed, come or gone."""

    files: tuple[File, ...]

    def told(self, layout: Layout) -> list[dict[str, Any]]:
        """Return each file's name below the lake's base, its size, and its SHA-256 as it was read."""
        return [
            {"path": file.path.relative_to(layout.base).as_posix(), "bytes": file.bytes, "sha256": file.sha256}
            for file in self.files
        ]

    def verified(self) -> "Inputs":
        """Read every file and return the same with their SHA-256.

        Raises:
            FileNotFoundError: one is gone meanwhile.
            DamagedError: one is not what was written: nothing may be made from it.
            LakeError: one cannot be read.
        """
        try:
            return Inputs(tuple(replace(file, sha256=checksums.read(file.path).sha256) for file in self.files))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise LakeError(f"{error.filename}: cannot be read ({error.strerror or error}): check the disk") from error


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
