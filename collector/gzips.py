"""The members of a gzip file, each checked, so that nothing is believed that its checksum does not confirm.

A recorder that is killed leaves a member without its end; started again, it appends another member, or (hftbacktest's
opens its file without truncating it) writes one over the beginning of the old. Three things must be told apart:

- **whole**: the stream ends and its CRC-32 and length are right.
- **cut**: the stream is right as far as it goes, and its end is missing. Each byte before the cut is what was written.
- **damaged**: the checksum is another, or the stream breaks in its middle. A flipped bit shows only there, long after
  the wrong digit has been unpacked, so nothing of such a member can be believed.

Source: RFC 1952; deflate with zlib, whose own checks come after the data has been handed out.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO

MAGIC = b"\x1f\x8b\x08"
_HEADER = re.compile(rb"\x1f\x8b\x08[\x00\x08].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.DOTALL)
"""As gzip, zlib, Python, Go and Rust write it: no flag but that for a name."""
_HEADER_BYTES = 10
_TRAILER = struct.Struct("<II")
_CHUNK = 1 << 16
_PROOF = 1024
_LENGTH_NEAR = 1 << 16
_ZEROS = 8
_TEXT = frozenset(b"\t\n\r") | frozenset(range(32, 256))


class State(Enum):
    """What a stretch of a gzip file is."""

    WHOLE = "whole"
    CUT = "cut off"
    DAMAGED = "damaged"
    FOREIGN = "not gzip data"


@dataclass(frozen=True)
class Stretch:
    """Bytes ``start`` to ``end`` of the file.

    ``upto``: where its own data ends, before the zeros that a power cut leaves; ``lines``: line feeds in what it
    unpacks to; ``reason``: what is wrong with it.
    """

    start: int
    end: int
    upto: int
    state: State
    lines: int = 0
    reason: str = ""

    @property
    def readable(self) -> bool:
        """Whether what it unpacks to is what was written."""
        return self.state in (State.WHOLE, State.CUT)


@dataclass
class _Tried:
    """How a member was unpacked: to which byte, how many lines and bytes it gave, and what is wrong."""

    upto: int
    ended: bool = False
    lines: int = 0
    size: int = 0
    state: State = State.CUT
    reason: str = "the rest of it is missing"


def look(path: Path, progress: Callable[[int], object]) -> list[Stretch]:
    """Read a gzip file through and return its stretches, in order; memory is constant.

    Args:
        path: the file.
        progress: called with the offset that has been reached.
    """
    size, at = path.stat().st_size, 0
    found: list[Stretch] = []
    with path.open("rb") as file:
        while (at := _zeros_end(file, at, size)) < size:  # zeros between members, as tapes have
            found.append(_stretch(file, at, size, progress))
            at = found[-1].end
    return found


def unpack(path: Path, stretch: Stretch, progress: Callable[[int], object]) -> Iterator[bytes]:
    """Yield what a readable stretch holds, in pieces of at most 64 KiB; ``progress`` as for `look`."""
    with path.open("rb") as file:
        begin = _data_begin(file, stretch.start, stretch.upto)
        if begin is None:
            return
        reached = _Tried(begin)
        for piece in _pieces(file, begin, stretch.upto, reached):
            yield piece
            progress(reached.upto)


def _stretch(file: BinaryIO, at: int, size: int, progress: Callable[[int], object]) -> Stretch:
    if not MAGIC.startswith(_read(file, at, len(MAGIC))):
        end = _next_member(file, at + 1, size)
        return Stretch(at, end, end, State.FOREIGN, reason="not gzip data, such as the rest of a file written over")
    tried = _try(file, at, size, progress)
    if tried.state is State.WHOLE:
        return Stretch(at, tried.upto, tried.upto, State.WHOLE, tried.lines)
    end = upto = _next_member(file, at + 1, size)
    if end < size:  # what follows has been unpacked as if it belonged to this member
        tried = _try(file, at, end, progress)
    if not tried.ended and (zeros := _zeros_before(file, at, end)):
        upto -= zeros
        tried = _try(file, at, upto, progress)
    if not tried.ended and tried.state is State.CUT and tried.size and _ends_in_length(file, upto, end, tried.size):
        tried.state, tried.reason = State.DAMAGED, "its data does not end where its length says"
    return Stretch(at, end, upto, tried.state, tried.lines, tried.reason)


def _try(file: BinaryIO, at: int, end: int, progress: Callable[[int], object]) -> _Tried:
    """Unpack one member, which ends at ``end`` at the latest, and compare it with its checksum."""
    tried, crc = _Tried(end), 0
    begin = _data_begin(file, at, end)
    if begin is None:
        return tried
    try:
        for piece in _pieces(file, begin, end, tried):
            crc = zlib.crc32(piece, crc)
            tried.size += len(piece)
            tried.lines += piece.count(b"\n")
            progress(tried.upto)
    except zlib.error as error:
        tried.state, tried.reason = State.DAMAGED, f"its data is broken at or before byte {tried.upto:,} ({error})"
        return tried
    if not tried.ended:
        return tried
    trailer = _read(file, tried.upto, min(_TRAILER.size, end - tried.upto))
    if len(trailer) < _TRAILER.size:
        tried.reason = "its checksum is missing"
    elif _TRAILER.unpack(trailer) == (crc, tried.size & 0xFFFFFFFF):
        tried.state, tried.upto = State.WHOLE, tried.upto + _TRAILER.size
    else:
        tried.state, tried.reason = State.DAMAGED, "its checksum is another"
    return tried


def _pieces(file: BinaryIO, begin: int, end: int, reached: _Tried) -> Iterator[bytes]:
    """Yield what a deflate stream unpacks to; ``reached`` learns how far it has been read, and whether it has ended."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    reached.upto = begin
    while reached.upto < end and not unpacking.eof:
        packed = _read(file, reached.upto, min(_CHUNK, end - reached.upto))
        reached.upto += len(packed)
        while packed and not unpacking.eof:
            yield unpacking.decompress(packed, _CHUNK)
            packed = unpacking.unconsumed_tail
    if not unpacking.eof:
        yield unpacking.flush()
    reached.upto -= len(unpacking.unused_data)
    reached.ended = unpacking.eof


def _data_begin(file: BinaryIO, at: int, end: int) -> int | None:
    """The offset of a member's data; None where its header does not end before ``end``."""
    head = _read(file, at, 1 << 16)
    if len(head) < _HEADER_BYTES:
        return None
    flags, here = head[3], _HEADER_BYTES
    if flags & 4:
        here += 2 + int.from_bytes(head[here : here + 2], "little")
    for bit in (8, 16):
        if flags & bit:
            here = (head.find(b"\0", here) + 1) or end
    here += 2 if flags & 2 else 0
    return at + here if at + here <= end else None


def _next_member(file: BinaryIO, at: int, size: int) -> int:
    """The offset of the next member that surely begins at or after ``at``; the file's size where there is none."""
    while (at := _next_header(file, at, size)) < size and not _begins(file, at, size):
        at += 1
    return at


def _next_header(file: BinaryIO, at: int, end: int) -> int:
    while at < end:
        window = _read(file, at, min(_CHUNK, end - at))
        if match := _HEADER.search(window):
            return at + match.start()
        at += max(len(window) - _HEADER_BYTES + 1, 1)
    return end


def _begins(file: BinaryIO, at: int, size: int) -> bool:
    """Whether a member begins at a header: what can be unpacked of it, up to a kilobyte, is text.

    One that was killed at once is no more than its header; the next member's header then follows, which is no data.
    """
    begin = _data_begin(file, at, size)
    if begin is None:
        return False
    end = _next_header(file, begin, min(size, begin + _CHUNK))
    head = b""
    try:
        for piece in _pieces(file, begin, end, _Tried(begin)):
            head += piece[:_PROOF]
            if len(head) >= _PROOF:
                break
    except zlib.error:
        return False
    return all(byte in _TEXT for byte in head)


def _ends_in_length(file: BinaryIO, upto: int, end: int, size: int) -> bool:
    """Whether a member's last four bytes give about the length that was unpacked.

    Then it is all there, and its data is damaged such that its end was missed. In data that was really cut off they are
    any four bytes: 1 chance in 30,000. Behind them there may be zeros, and their own last bytes may be zeros.
    """
    for last in range(upto, min(upto + 4, end + 1)):
        distance = abs(int.from_bytes(_read(file, max(last - 4, 0), 4), "little") - (size & 0xFFFFFFFF))
        if min(distance, (1 << 32) - distance) <= _LENGTH_NEAR:
            return True
    return False


def _zeros_before(file: BinaryIO, start: int, end: int) -> int:
    """How many zeros a power cut left at the end of a stretch; a few can be the data's own."""
    zeros = 0
    while zeros < end - start:
        size = min(_CHUNK, end - start - zeros)
        kept = len(_read(file, end - zeros - size, size).rstrip(b"\0"))
        zeros += size - kept
        if kept:
            break
    return zeros if zeros >= _ZEROS else 0


def _zeros_end(file: BinaryIO, at: int, end: int) -> int:
    """The offset of the next byte that is not zero."""
    while at < end:
        block = _read(file, at, min(_CHUNK, end - at))
        rest = block.lstrip(b"\0")
        at += len(block) - len(rest)
        if rest:
            return at
    return end


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
