"""The one way a file gets into the lake: written beside its place under a hidden name, synced, renamed.

A reader sees the old file or the new one, whole, and never a part. After a kill a hidden ``.NAME.*.tmp`` may remain,
which no glob of the lake matches; ``sweep`` takes it away.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lake.errors import LakeError

_TRIES = 50  # a reader holds a small file for a moment; one that keeps it for a second is an error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a hidden path to write to; when the block ends without an error, the file takes the place of ``path``.

    Raises:
        LakeError: the folder cannot be written to, or the disk is full. What was at ``path`` is still there.
    """
    try:
        with scratch(path.parent, path.name) as hidden:
            yield hidden
            sync(hidden)
            _replace(hidden, path)
            sync_folder(path.parent)
    except OSError as error:
        raise LakeError(f"{path}: cannot be written ({error.strerror or error}): check the folder and disk") from error


def _replace(hidden: Path, path: Path) -> None:
    """Rename; on Windows, where nobody can replace a file while another reads it, again until the reader is done."""
    for _ in range(_TRIES if os.name == "nt" else 0):
        try:
            hidden.replace(path)
        except PermissionError:
            time.sleep(0.02)
        else:
            return
    hidden.replace(path)


@contextmanager
def scratch(folder: Path, name: str = "scratch") -> Iterator[Path]:
    """Yield a hidden path in a folder, which is made if need be; what is there when the block ends is taken away."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f".{name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp"
    try:
        yield hidden
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)


@contextmanager
def for_the_owner() -> Iterator[None]:
    """While the block runs, files and folders that this process makes are its user's alone, where the system knows."""
    before = os.umask(0o077)
    os.umask(before | 0o077)
    try:
        yield
    finally:
        os.umask(before)


def write_text(path: Path, text: str) -> None:
    """Write a small text file (UTF-8, line feeds), whole or not at all."""
    with whole(path) as hidden:
        hidden.write_bytes(text.encode())


def write_parquet(path: Path, table: pa.Table, compression: str) -> None:
    """Write a table that already conforms to its schema (`lake.schemas`) as one Parquet file, whole or not at all."""
    with whole(path) as hidden:
        pq.write_table(table, hidden, compression=compression, row_group_size=86_400, write_statistics=True)


@contextmanager
def parquet(path: Path, remedy: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file of the lake; what is wrong with it is one line that names it, whatever the block finds.

    Args:
        path: The file.
        remedy: How it is made anew once it has been moved away, such as ``backfill its day anew``.

    Raises:
        FileNotFoundError: it is not there (any more).
        LakeError: it cannot be read, or its columns are not those of its table.
    """
    try:
        with pq.ParquetFile(path) as handle:
            yield handle
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, LakeError) as error:
        raise LakeError(f"{path}: cannot be read ({error}): move it away, and {remedy}") from error


def sync(path: Path) -> None:
    """Make what was written to a file survive a power cut."""
    with path.open("rb+") as handle:
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def set_aside(path: Path) -> Path:
    """Rename a file that is damaged to ``NAME.damaged``, or with a number where there is one; return where it is.

    Raises:
        LakeError: the folder cannot be written to.
    """
    names = (f"{path.name}.damaged{f'-{number}' if number > 1 else ''}" for number in count(1))
    aside = next(place for name in names if not (place := path.with_name(name)).exists())
    try:
        path.rename(aside)
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or error
        raise LakeError(f"{path}: cannot be set aside ({reason}): check the folder and disk") from error
    return aside


def sweep(folder: Path, name: str = "*") -> list[Path]:
    """Take away what a killed writer left in a folder, of all files or of one.

    Call it only while holding the lock of whoever writes there.
    """
    left = [path for path in folder.glob(f".{name}.*.tmp") if path.is_file()] if folder.is_dir() else []
    for path in left:
        path.unlink(missing_ok=True)
    return left
