"""The members of a gzip file, each checked, so that nothing is believed that its checksum does not confirm.

A recorder that is killed leaves a member without its end; started again, it appends another member, or (hftbacktest's
opens its file without truncating it) writes one over the beginning of the old. Three things must be told apart:

- **whole**: the stream ends and its CRC-32 and length are right.
- **cut**: the stream is right as far as it goes, and its end is missing. Each byte before the cut is what was written.
- **damaged**: the checksum is another, or the stream breaks in its middle. A flipped bit shows only there, long after
  the wrong digit has been unpacked, so nothing of such a member can be believed.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from collector.members import CHUNK, HEADER, HEADER_BYTES, MAGIC, State, Unpacked, data_begin, pieces, read, unpacked

_PROOF = 1024
_LENGTH_NEAR = 1 << 16
_ZEROS = 8
_TEXT = frozenset(b"\t\n\r") | frozenset(range(32, 256))


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
        begin = data_begin(file, stretch.start, stretch.upto)
        if begin is None:
            return
        reached = Unpacked(begin)
        for piece in pieces(file, begin, stretch.upto, reached):
            yield piece
            progress(reached.upto)


def _stretch(file: BinaryIO, at: int, size: int, progress: Callable[[int], object]) -> Stretch:
    if not MAGIC.startswith(read(file, at, len(MAGIC))):
        end = _next_member(file, at + 1, size)
        return Stretch(at, end, end, State.FOREIGN, reason="not gzip data, such as the rest of a file written over")
    tried = unpacked(file, at, size, progress)
    if tried.state is State.WHOLE:
        return Stretch(at, tried.upto, tried.upto, State.WHOLE, tried.lines)
    end = upto = _next_member(file, at + 1, size)
    if end < size:  # what follows has been unpacked as if it belonged to this member
        tried = unpacked(file, at, end, progress)
    if not tried.ended and (zeros := _zeros_before(file, at, end)):
        upto -= zeros
        tried = unpacked(file, at, upto, progress)
    if not tried.ended and tried.state is State.CUT and tried.size and _ends_in_length(file, upto, end, tried.size):
        tried.state, tried.reason = State.DAMAGED, "its data does not end where its length says"
    return Stretch(at, end, upto, tried.state, tried.lines, tried.reason)


def _next_member(file: BinaryIO, at: int, size: int) -> int:
    """The offset of the next member that surely begins at or after ``at``; the file's size where there is none."""
    while (at := _next_header(file, at, size)) < size and not _begins(file, at, size):
        at += 1
    return at


def _next_header(file: BinaryIO, at: int, end: int) -> int:
    while at < end:
        window = read(file, at, min(CHUNK, end - at))
        if match := HEADER.search(window):
            return at + match.start()
        at += max(len(window) - HEADER_BYTES + 1, 1)
    return end


def _begins(file: BinaryIO, at: int, size: int) -> bool:
    """Whether a member begins at a header: what can be unpacked of it, up to a kilobyte, is text.

    One that was killed at once is no more than its header; the next member's header then follows, which is no data.
    """
    begin = data_begin(file, at, size)
    if begin is None:
        return False
    end = _next_header(file, begin, min(size, begin + CHUNK))
    head = b""
    try:
        for piece in pieces(file, begin, end, Unpacked(begin)):
            head += piece[:_PROOF]
            if len(head) >= _PROOF:
                break
    except zlib.error:
        return False
    return all(byte in _TEXT for byte in head)


def _ends_in_length(file: BinaryIO, upto: int, end: int, size: int) -> bool:
    """Whether a member's last four bytes give about the length that was unpacked.

    Then it is all there, and its data is damaged such that its end was missed. In data that was really cut off they are
    any four bytes: 1 chance in 30,000. Where zeros follow, some of the length's own bytes may be among them; there
    "about" is a hundredth, since with two bytes left every second number would be within 64 KiB.
    """
    for last in range(upto, min(upto + 4, end + 1)):
        distance = abs(int.from_bytes(read(file, max(last - 4, 0), 4), "little") - (size & 0xFFFFFFFF))
        if min(distance, (1 << 32) - distance) <= (_LENGTH_NEAR if last == upto else size // 100):
            return True
    return False


def _zeros_before(file: BinaryIO, start: int, end: int) -> int:
    """How many zeros a power cut left at the end of a stretch; a few can be the data's own."""
    zeros = 0
    while zeros < end - start:
        size = min(CHUNK, end - start - zeros)
        kept = len(read(file, end - zeros - size, size).rstrip(b"\0"))
        zeros += size - kept
        if kept:
            break
    return zeros if zeros >= _ZEROS else 0


def _zeros_end(file: BinaryIO, at: int, end: int) -> int:
    """The offset of the next byte that is not zero."""
    while at < end:
        block = read(file, at, min(CHUNK, end - at))
        rest = block.lstrip(b"\0")
        at += len(block) - len(rest)
        if rest:
            return at
    return end
