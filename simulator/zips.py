"""Zip files: made the same byte for byte from the same text, with the sums that are told of them, and kept a while."""

import hashlib
import io
import zipfile
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property

_FAST = 1
"""Level of compression: a day of minutes takes 2 ms, and 7 ms at the usual level for a fifth less bytes."""
_KEPT_BYTES = 96_000_000


@dataclass(frozen=True)
class Zip:
    """A file's bytes, when it was put there (s since 1970 UTC), and its sums."""

    data: bytes
    since: int

    @cached_property
    def sha256(self) -> str:
        """The sum that its CHECKSUM tells."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def etag(self) -> str:
        """The entity tag as S3 has it."""
        return etag(self.data)

    def summed(self) -> "Zip":
        """Return it with its sums worked out: in the thread that made it, since a month of trades takes a second."""
        _ = self.sha256, self.etag
        return self


def etag(data: bytes) -> str:
    """Return the entity tag of some bytes as S3 has it: their MD5 in quotes."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def pack(*members: tuple[str, Iterable[str]]) -> bytes:
    """Return a zip of members (name, text in parts), which all carry zip's first moment, 1980-01-01."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_FAST) as archive:
        for name, parts in members:
            with archive.open(name, "w") as file:
                for part in parts:
                    file.write(part.encode())
    return out.getvalue()


def unpack(data: bytes) -> tuple[str, str]:
    """Return the name and text of a zip's first member."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = archive.namelist()[0]
        return name, archive.read(name).decode()


class Shelf:
    """The zips made lately, up to so many bytes and one at least."""

    def __init__(self, most_bytes: int = _KEPT_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._zips: OrderedDict[Hashable, Zip | None] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._zips

    def get(self, key: Hashable) -> Zip | None:
        """Return a zip, or None where it is known that there is none; the key must be there."""
        self._zips.move_to_end(key)
        return self._zips[key]

    def put(self, key: Hashable, found: Zip | None) -> None:
        """Keep a zip, or that there is none."""
        self._zips[key] = found
        self._bytes += _size(found)
        while self._bytes > self._most and len(self._zips) > 1:
            self._bytes -= _size(self._zips.popitem(last=False)[1])


def _size(found: Zip | None) -> int:
    return 200 + (len(found.data) if found else 0)
