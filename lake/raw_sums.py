"""The checksums of raw parts: ``SHA256SUMS`` in each day folder, which ``sha256sum -c`` reads.

A part gets its line when it is given its own name; from then on it is never written again. A part without a line (a
kill came in between, or an earlier version wrote it) gets it when it is first read. The last line of a name counts.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from lake import checksums, files
from lake.errors import DamagedError, LakeError
from lake.layout import part_number

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


def of(path: Path) -> str:
    """Return the SHA-256 of a part as it is.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def noted(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each part of a day folder that has one, by name.

    Raises:
        LakeError: the file cannot be read.
    """
    try:
        text = (folder / NAME).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LakeError(f"{folder / NAME}: cannot be read ({error.strerror or error}): check the disk") from error
    matches = (_LINE.fullmatch(line) for line in text.splitlines())
    return {match[2]: match[1] for match in matches if match and part_number(match[2])}


def add(folder: Path, sums: Mapping[str, str]) -> None:
    """Note the SHA-256 of parts, by name; it survives a power cut.

    Raises:
        OSError: it cannot be written.
    """
    if not sums:
        return
    path = folder / NAME
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
    try:
        size = os.fstat(handle).st_size
        torn = size and os.lseek(handle, size - 1, os.SEEK_SET) >= 0 and os.read(handle, 1) != b"\n"
        lines = "".join(checksums.line(sha256, name) for name, sha256 in sums.items())
        os.write(handle, (b"\n" if torn else b"") + lines.encode())
        files.sync_open(handle)
    finally:
        os.close(handle)
    if is_new:
        files.sync_folder(folder)


def verify(paths: Iterable[Path]) -> tuple[list[DamagedError], int]:
    """Compare raw parts with their checksums, and note those of parts that have none.

    Returns:
        What is damaged, and how many had no checksum.

    Raises:
        FileNotFoundError: a part is gone.
        LakeError: a part or its checksums cannot be read, or those that are new cannot be written.
    """
    by_folder: dict[Path, list[Path]] = {}
    for path in paths:
        by_folder.setdefault(path.parent, []).append(path)
    damaged, new = [], 0
    for folder, parts in by_folder.items():
        known, added = noted(folder), {}
        try:
            for path in parts:
                found = of(path)
                if known.get(path.name, found) != found:
                    damaged.append(DamagedError(path, f"its SHA-256 is not the one in {NAME}"))
                elif path.name not in known:
                    added[path.name] = found
            add(folder, added)
        except FileNotFoundError:
            raise
        except OSError as error:
            named = error.filename or folder
            raise LakeError(f"{named}: cannot be verified ({error.strerror or error}): check the disk") from error
        new += len(added)
    return damaged, new
