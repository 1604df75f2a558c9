"""The one way a file gets into the lake: written beside its place under a hidden name, synced, renamed.

A reader sees the old file or the new one, whole, and never a part. After a kill a hidden ``.NAME.PID-XXXXXXXX.tmp`` may
remain, which no reader takes; ``sweep`` removes it. A file that must not take the place of another is given its name by
``place``.
"""

import errno
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lake import checksums
from lake.errors import DamagedError, LakeError

if sys.platform != "win32":
    import fcntl

TEMPORARY = re.compile(r"\.(?P<name>.+)\.(?P<pid>[0-9]+)-[0-9a-f]{8}\.tmp")
"""The names that `scratch` gives."""
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""The answers of a disk to a call that it does not have: many network mounts have no fsync for a folder."""
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


def place(hidden: Path, path: Path) -> None:
    """Give a whole file its name unless that name is taken: nothing is ever overwritten.

    A hard link fails where the name is taken, in one step. A disk without hard links (exFAT, many network mounts) gets
    a rename instead, while the folder is locked, so that no two processes take one name. A kill leaves the file under
    its hidden name, under its own, or under both, and always whole.

    Raises:
        FileExistsError: the name is taken.
        OSError: the file cannot be given the name; it keeps its hidden one.
    """
    try:
        path.hardlink_to(hidden)
    except FileExistsError:
        if not _is_linked(hidden, path):
            raise
    except OSError:
        _rename_to_free_name(hidden, path)
        return
    hidden.unlink()


def _is_linked(hidden: Path, path: Path) -> bool:
    """Whether both names are of one file: a killed process had linked it, or a network lost the answer to our link."""
    return hidden.stat().st_nlink > 1 and path.samefile(hidden)


def _rename_to_free_name(hidden: Path, path: Path) -> None:
    with _locked(path.parent):
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        hidden.rename(path)
    with suppress(OSError):
        os.utime(path.parent)  # exFAT by FUSE leaves it after a rename, and it tells readers to look (`lake.unread`)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder against others that call this; on Windows a rename never takes the place of a file."""
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def scratch(folder: Path, name: str = "scratch") -> Iterator[Path]:
    """Yield a hidden path in a folder, which is made if need be; the file there when the block ends is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = _hidden(folder, name)
    try:
        yield hidden
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)


@contextmanager
def scratch_folder(folder: Path, name: str) -> Iterator[Path]:
    """Yield a new hidden folder in a folder; it is removed with all that is in it when the block ends."""
    hidden = _hidden(folder, name)
    hidden.mkdir(parents=True)
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _hidden(folder: Path, name: str) -> Path:
    return folder / f".{name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp"


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
    """Write a table that already conforms to its schema (`lake.schemas`) as one Parquet file, whole or not at all.

    It has its checksum in itself (`lake.checksums`), and one for each page, which other programs can verify too. A
    ``.sha256`` beside an earlier file of the name is removed: it speaks of that file.
    """
    with whole(path) as hidden:
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(sink, table.schema, compression=compression, write_page_checksum=True) as writer:
            writer.write_table(table, row_group_size=86_400)
            writer.add_key_value_metadata(checksums.FOOTER)
        hidden.write_bytes(checksums.seal(sink.getvalue().to_pybytes()))
        checksums.beside(path).unlink(missing_ok=True)


@contextmanager
def parquet(path: Path, remedy: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file of the lake, verified; what is wrong with it is one line that names it.

    Args:
        path: The file.
        remedy: How it is made anew once it has been moved away, such as ``backfill its day anew``.

    Raises:
        FileNotFoundError: it is not there (any more).
        DamagedError: it is not what was written (`lake.checksums`).
        LakeError: it cannot be read, or its columns are not those of its table.
    """
    try:
        found = checksums.read(path)
        with opened(path, found) as handle:
            yield handle
    except (FileNotFoundError, DamagedError):
        raise
    except (pa.ArrowException, OSError, LakeError) as error:
        raise LakeError(f"{path}: cannot be read ({error}): move it away, and {remedy}") from error


def opened(path: Path, found: checksums.Read) -> pq.ParquetFile:
    """Open a Parquet file from the bytes that were read of it, so that what is used is what was verified.

    The checksums of its pages are verified where the file as a whole could not be.

    Raises:
        DamagedError: it is no Parquet.
    """
    try:
        return pq.ParquetFile(pa.BufferReader(found.data), page_checksum_verification=not found.verified)
    except (pa.ArrowException, OSError) as error:
        raise DamagedError(path, f"no whole Parquet file: {' '.join(str(error).split())[:200]}") from error


def sync(path: Path) -> None:
    """Make what was written to a file survive a power cut."""
    with path.open("rb+") as handle:
        sync_open(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power cut. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        sync_open(handle)
    finally:
        os.close(handle)


def sync_open(handle: int) -> None:
    """Call fsync for an open file or folder, where the disk has it. `crypto-lake doctor` reports one that does not.

    Raises:
        OSError: the disk failed, or is full.
    """
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise


def set_aside(path: Path) -> Path:
    """Rename a file that is damaged to ``NAME.damaged``, or with a number where there is one; return where it is.

    Raises:
        LakeError: the folder cannot be written to.
    """
    try:
        for number in count(1):
            aside = path.with_name(f"{path.name}.damaged{f'-{number}' if number > 1 else ''}")
            with suppress(FileExistsError):
                place(path, aside)
                break
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or error
        raise LakeError(f"{path}: cannot be set aside ({reason}): check the folder and disk") from error
    return aside


def hidden(folder: Path, name: str | None = None) -> list[Path]:
    """Return the hidden files of writers in a folder, killed or at work: of all files, or of one."""
    found = ((path, TEMPORARY.fullmatch(path.name)) for path in (folder.iterdir() if folder.is_dir() else ()))
    return [path for path, match in found if match and name in (None, match["name"]) and path.is_file()]


def sweep(folder: Path, name: str | None = None) -> list[Path]:
    """Remove what a killed writer left in a folder, of all files or of one; return what there was.

    Call it only while holding the lock of whoever writes there.
    """
    left = hidden(folder, name)
    for path in left:
        path.unlink(missing_ok=True)
    return left
