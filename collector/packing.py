"""A recording's lines out of the file they are packed in: plain text, gzip, or a zip with one member.

Lines are read as a stream, so a file of gigabytes takes a few megabytes of memory. Nothing is written to disk.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from collector import gzips
from collector.members import MAGIC, State
from lake.errors import BadInputError
from lake.progress import Progress, quiet

LONGEST_LINE = 32 << 20
"""A REST reply that cryptofeed records (every pair of the exchange) has a line of some megabytes."""
_KEPT = 4096
_CHUNK = 1 << 20
_ZIP = b"PK\x03\x04"
_HIGHEST_RATIO = 500
"""Of real recordings and archives the unpacked size is 4 to 30 times the packed one."""
_OTHERS = {
    b"(\xb5/\xfd": "zstd", b"\xfd7zXZ": "xz", b"BZh": "bzip2", b"7z\xbc\xaf": "7-Zip", b"\x04\"M\x18": "LZ4",
    b"PAR1": "Parquet", b"Rar!": "RAR", b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text",
}  # fmt: skip
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line without its line feed.

    ``offset``: where it begins in what the file unpacks to; ``number``: its number there, from 1; ``ended``: whether a
    line feed followed; ``too_long``: whether only its beginning is here; ``doubtful``: whether it follows a damaged
    stretch, so that its own beginning may be in that.
    """

    offset: int
    number: int
    text: bytes
    ended: bool
    too_long: bool
    doubtful: bool


class Lost(NamedTuple):
    """Bytes ``start`` to ``end`` of a packed file, of which something could not be read, and why."""

    start: int
    end: int
    reason: str


@dataclass
class Packing:
    """A file opened for reading.

    Attributes:
        name: The file's name; of a zip that of its member.
        lost: What of a gzip could not be read.
    """

    path: Path
    name: str
    lost: list[Lost] = field(default_factory=list)
    _stretches: list[gzips.Stretch] = field(default_factory=list)
    _member: str = ""

    @classmethod
    def open(cls, path: Path, progress: Progress = quiet) -> "Packing":
        """Find out how a file is packed; a gzip is read through and checked.

        Raises:
            BadInputError: it is packed in another way, or is not what its CHECKSUM says.
        """
        with path.open("rb") as file:
            head = file.read(8)
        for magic, kind in _OTHERS.items():
            if head.startswith(magic):
                raise BadInputError(f"{path}: {kind}: give it as text in UTF-8, gzip, or a zip with one member")
        if head.startswith(MAGIC):
            stretches = gzips.look(path, _shown(progress, "checking", path.stat().st_size))
            lost = [Lost(one.start, one.end, _sentence(one)) for one in stretches if one.state is not State.WHOLE]
            return cls(path, path.name.removesuffix(".gz"), lost, stretches)
        if head.startswith((_ZIP, b"PK\x05\x06")):
            member = _member(path)
            return cls(path, Path(member).name, _member=member)
        return cls(path, path.name)

    def lines(self, progress: Progress = quiet) -> Iterator[Line]:
        """Yield the lines, each once, blank ones too.

        Raises:
            BadInputError: a zip whose member is not what its checksum says.
        """
        offset = number = 0
        for pieces, doubtful in self._texts(progress):
            first = True
            for text, size, ended in _split(pieces):
                number += 1
                line = text.removeprefix(_BOM) if number == 1 else text
                yield Line(offset, number, line.removesuffix(b"\r"), ended, size > len(text), doubtful and first)
                offset += size + ended
                first = False

    def _texts(self, progress: Progress) -> Iterator[tuple[Iterable[bytes], bool]]:
        """Yield each text that is in one piece, and whether what was before it is not known.

        Of a gzip that is a row of whole members, and at its end one that is cut off.
        """
        if not self._stretches:
            yield self._unzipped(progress) if self._member else self._plain(progress), False
        group: list[gzips.Stretch] = []
        doubtful = False
        for stretch in self._stretches:
            if stretch.readable:
                group.append(stretch)
            if stretch.state is not State.WHOLE:
                yield self._ungzipped(group, progress), doubtful
                doubtful, group = not stretch.readable, []
        yield self._ungzipped(group, progress), doubtful

    def _ungzipped(self, group: list[gzips.Stretch], progress: Progress) -> Iterator[bytes]:
        shown = _shown(progress, "reading", self.path.stat().st_size)
        for stretch in group:
            yield from gzips.unpack(self.path, stretch, shown)

    def _plain(self, progress: Progress) -> Iterator[bytes]:
        shown = _shown(progress, "reading", self.path.stat().st_size)
        with self.path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece
                shown(file.tell())

    def _unzipped(self, progress: Progress) -> Iterator[bytes]:
        try:
            with zipfile.ZipFile(self.path) as opened, opened.open(self._member) as file:
                shown = _shown(progress, "reading", opened.getinfo(self._member).file_size)
                while piece := file.read(_CHUNK):
                    yield piece
                    shown(file.tell())
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise BadInputError(f"{self.path}: its member is damaged ({error}): nothing was imported") from error


def _shown(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    """Return a function that shows how many bytes of a file have been gone through."""
    return lambda at: progress(at / max(total, 1), f"{what} {at >> 20:,} of {total >> 20:,} MiB")


def _sentence(one: gzips.Stretch) -> str:
    if one.state is State.CUT:
        taken = f"the {one.lines:,} whole lines before are taken, which no checksum confirms"
        return f"gzip cut off at byte {one.upto:,}: {one.reason}; {taken}"
    if one.state is State.DAMAGED:
        where = f"bytes {one.start:,} to {one.end:,}"
        return f"gzip damaged in {where}: {one.reason}; none of its {one.lines:,} lines is taken"
    return f"bytes {one.start:,} to {one.end:,}: {one.reason}"


def _member(path: Path) -> str:
    """The one file in a zip, whose packing is plausible and that is what a CHECKSUM beside it says."""
    beside = path.with_name(f"{path.name}.CHECKSUM")
    if beside.is_file():
        words = beside.read_bytes().decode("utf-8", "replace").split()
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not words or words[0].lower() != found:
            raise BadInputError(f"{path}: is not what {beside.name} says: download both again")
    try:
        with zipfile.ZipFile(path) as opened:
            files = [one for one in opened.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadInputError(f"{path}: no zip that can be read ({error})") from error
    if len(files) != 1:
        raise BadInputError(f"{path}: has {len(files)} members: unpack it, and import its files")
    (one,) = files
    if one.flag_bits & 1:
        raise BadInputError(f"{path}: is encrypted: unpack it, and import its file")
    if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadInputError(f"{path}: packed by a method other than deflate: unpack it, and import its file")
    if one.file_size > max(one.compress_size, 1) * _HIGHEST_RATIO:
        raise BadInputError(f"{path}: {one.compress_size:,} bytes that claim to be {one.file_size:,}: no recording")
    return one.filename


def _split(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, int, bool]]:
    """Yield each line, its size, and whether a line feed followed. Of a line that is too long the beginning is kept."""
    rest, dropped = bytearray(), 0
    for piece in pieces:
        first, *more = piece.split(b"\n")
        dropped += _grown(rest, dropped, first)
        if more:
            yield bytes(rest), len(rest) + dropped, True
            for text in more[:-1]:
                yield text, len(text), True
            rest, dropped = bytearray(more[-1]), 0
    if rest or dropped:
        yield bytes(rest), len(rest) + dropped, False


def _grown(rest: bytearray, dropped: int, more: bytes) -> int:
    """Add to a line; return how many bytes of it are let go, because it is too long."""
    if not dropped and len(rest) + len(more) <= LONGEST_LINE:
        rest += more
        return 0
    before = len(rest)
    del rest[_KEPT:]
    return before - len(rest) + len(more)
