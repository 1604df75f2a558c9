"""The checksum inside every Parquet file of the lake, and how a file is read so that what rotted is never used.

A file carries the SHA-256 of itself in its footer: of all its bytes, with the 64 digits of the checksum taken as zeros.
So there is nothing beside the file to lose, to write in step with it, or to leave behind when it is moved. Markers on
both sides of the digits tell a file whose marker rotted from one that never had a checksum.

Files of earlier versions have none. They are compared with ``NAME.sha256`` beside them: compaction has written it for
every day, and `lake.scrub` writes it for the others when it first meets them.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from lake.errors import DamagedError

_BEFORE, _AFTER = b"crypto-lake sha256 ", b" sha256 crypto-lake"
_ZEROS = b"0" * 64
FOOTER = {"checksum": (_BEFORE + _ZEROS + _AFTER).decode()}
"""What a file's footer has as key-value metadata before `seal` fills the digits in."""
_LINE = re.compile(rb"(?P<sha256>[0-9a-f]{64})  \S.*\n?")


@dataclass(frozen=True)
class Read:
    """The bytes of a file, their plain SHA-256, and whether a checksum proves that they are those once written."""

    data: bytes
    sha256: str
    verified: bool


def seal(data: bytes) -> bytes:
    """Return a Parquet file's bytes with its checksum in the place that `FOOTER` holds for it."""
    at = data.rindex(_BEFORE) + len(_BEFORE)
    digits = hashlib.sha256(data).hexdigest().encode()
    return data[:at] + digits + data[at + 64 :]


def beside(path: Path) -> Path:
    """The file beside another that ``sha256sum -c`` reads."""
    return path.with_name(f"{path.name}.sha256")


def line(sha256: str, name: str) -> str:
    """Return a line of a file that ``sha256sum -c`` reads."""
    return f"{sha256}  {name}\n"


def read(path: Path) -> Read:
    """Read a Parquet file once, and compare it with its checksum.

    Raises:
        FileNotFoundError: it is not there (any more).
        OSError: it cannot be read.
        DamagedError: its bytes are not those that were written.
    """
    data = path.read_bytes()
    start, end = data.rfind(_BEFORE), data.rfind(_AFTER)
    if start < 0 and end < 0:
        sha256 = hashlib.sha256(data).hexdigest()
        return Read(data, sha256, _is_noted(path, sha256))
    at = start + len(_BEFORE)
    if start < 0 or end != at + 64:
        raise DamagedError(path, "its checksum is damaged")
    plain = hashlib.sha256(memoryview(data)[:at])
    zeroed = plain.copy()
    plain.update(memoryview(data)[at:])
    zeroed.update(_ZEROS)
    zeroed.update(memoryview(data)[at + 64 :])
    if zeroed.hexdigest().encode() != data[at : at + 64]:
        raise DamagedError(path, "its SHA-256 is not the one it was written with")
    return Read(data, plain.hexdigest(), verified=True)


def _is_noted(path: Path, sha256: str) -> bool:
    """Whether the file beside a file without a checksum of its own agrees; there may be none."""
    noted = noted_beside(path)
    if noted not in (None, sha256):
        raise DamagedError(path, f"its SHA-256 is not the one in {beside(path).name}")
    return noted is not None


def noted_beside(path: Path) -> str | None:
    """Return the SHA-256 in the file beside a file; None where there is none that can be read."""
    try:
        match = _LINE.fullmatch(beside(path).read_bytes())
    except FileNotFoundError:
        return None
    return match["sha256"].decode() if match else None
