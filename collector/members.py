"""One member of a gzip file: unpacked piece by piece, and compared with its checksum.

Source: RFC 1952. The deflate stream is read by zlib without its own check of the checksum, because that comes after the
data has been handed out, and an error of it does not say where the member ended.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

MAGIC = b"\x1f\x8b\x08"
HEADER = re.compile(rb"\x1f\x8b\x08[\x00\x08].{4}[\x00\x02\x04][\x00-\x0d\xff]", re.DOTALL)
"""As gzip, zlib, Python, Go and Rust write it: no flag but that for a name."""
HEADER_BYTES = 10
CHUNK = 1 << 16
_TRAILER = struct.Struct("<II")


class State(Enum):
    """What a stretch of a gzip file is."""

    WHOLE = "whole"
    CUT = "cut off"
    DAMAGED = "damaged"
    FOREIGN = "not gzip data"


@dataclass
class Unpacked:
    """How a member was unpacked: to which byte, how many lines and bytes it gave, and what is wrong."""

    upto: int
    ended: bool = False
    lines: int = 0
    size: int = 0
    state: State = State.CUT
    reason: str = "the rest of it is missing"


def unpacked(file: BinaryIO, at: int, end: int, progress: Callable[[int], object]) -> Unpacked:
    """Unpack one member, which ends at ``end`` at the latest, and compare it with its checksum."""
    found, crc = Unpacked(end), 0
    begin = data_begin(file, at, end)
    if begin is None:
        return found
    try:
        for piece in pieces(file, begin, end, found):
            crc = zlib.crc32(piece, crc)
            found.size += len(piece)
            found.lines += piece.count(b"\n")
            progress(found.upto)
    except zlib.error as error:
        found.state, found.reason = State.DAMAGED, f"its data is broken at or before byte {found.upto:,} ({error})"
        return found
    if not found.ended:
        return found
    trailer = read(file, found.upto, min(_TRAILER.size, end - found.upto))
    if len(trailer) < _TRAILER.size:
        found.reason = "its checksum is missing"
    elif _TRAILER.unpack(trailer) == (crc, found.size & 0xFFFFFFFF):
        found.state, found.upto = State.WHOLE, found.upto + _TRAILER.size
    else:
        found.state, found.reason = State.DAMAGED, "its checksum does not match"
    return found


def pieces(file: BinaryIO, begin: int, end: int, reached: Unpacked) -> Iterator[bytes]:
    """Yield what a deflate stream unpacks to; ``reached`` learns how far it has been read, and whether it has ended."""
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    reached.upto = begin
    while reached.upto < end and not unpacking.eof:
        packed = read(file, reached.upto, min(CHUNK, end - reached.upto))
        reached.upto += len(packed)
        while packed and not unpacking.eof:
            yield unpacking.decompress(packed, CHUNK)
            packed = unpacking.unconsumed_tail
    if not unpacking.eof:
        yield unpacking.flush()
    reached.upto -= len(unpacking.unused_data)
    reached.ended = unpacking.eof


def data_begin(file: BinaryIO, at: int, end: int) -> int | None:
    """The offset of a member's data; None where its header does not end before ``end``."""
    head = read(file, at, 1 << 16)
    if len(head) < HEADER_BYTES:
        return None
    flags, here = head[3], HEADER_BYTES
    if flags & 4:
        here += 2 + int.from_bytes(head[here : here + 2], "little")
    for bit in (8, 16):
        if flags & bit:
            here = (head.find(b"\0", here) + 1) or end
    here += 2 if flags & 2 else 0
    return at + here if at + here <= end else None


def read(file: BinaryIO, at: int, size: int) -> bytes:
    """Return up to ``size`` bytes from the offset ``at``."""
    file.seek(at)
    return file.read(size)
