"""Whether the file system under the lake has what the lake needs, by trying it in a hidden folder."""

import errno
import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from filelock import FileLock, Timeout

from lake import files, sqlite
from lake.doctor import Finding

_NAME = "file system"
_LOCAL = "put base_path on a local disk (ext4, xfs, btrfs, APFS, NTFS)"
_TURNS, _ROWS = 40, 30
_OLD = (1_000_000_000, 1_000_000_000)


def able(base: Path) -> Finding:
    """Whether a lake can be kept in a folder: names, renames, locks and SQLite; and how well: fsync, links, times.

    What must work is a failure where it does not. What the lake goes on without is a warning that says what it costs.
    """
    if not base.is_dir():
        return Finding(_NAME, "ok", "tried when the folder is there")
    try:
        with files.scratch_folder(base, "doctor") as hidden:
            if lacking := [words for words, has in _NEEDED.items() if not _works(has, hidden)]:
                return Finding(_NAME, "fail", f"{base}: {'; '.join(lacking)}", _LOCAL)
            missed = [words for words, has in _BETTER.items() if not _works(has, hidden)]
            links = "hard links" if _works(_links, hidden) else "no hard links: renames with the folder locked instead"
    except OSError as error:
        return Finding(_NAME, "fail", f"{base} cannot be written ({error.strerror or error})", _LOCAL)
    if missed:
        return Finding(_NAME, "warn", f"{base}: {'; '.join(missed)}", _LOCAL)
    return Finding(_NAME, "ok", f"names, renames, fsync, locks and SQLite's log work; {links}")


def _works(has: Callable[[Path], bool], folder: Path) -> bool:
    """Whether a try succeeds. A full disk is no answer, and another check reports it.

    Raises:
        OSError: the disk is full.
    """
    try:
        return has(folder)
    except sqlite3.Error:
        return False
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        return False


def _names(folder: Path) -> bool:
    names = ("year=2025", "^GSPC", "EURUSD=X", ".hidden")
    for name in names:
        (folder / name).mkdir()
    return set(names) <= {path.name for path in folder.iterdir()}


def _rename(folder: Path) -> bool:
    old, new = folder / "old", folder / "new"
    old.write_text("old")
    new.write_text("new")
    new.replace(old)
    return old.read_text() == "new" and not new.exists()


def _locks(folder: Path) -> bool:
    with FileLock(folder / "lock").acquire(timeout=0):
        try:
            FileLock(folder / "lock").acquire(timeout=0)
        except Timeout:
            return True
    return False


def _place(folder: Path) -> bool:
    for name in ("whole", "other"):
        (folder / f".{name}").write_text(name)
    files.place(folder / ".whole", folder / "part")
    try:
        files.place(folder / ".other", folder / "part")
    except FileExistsError:
        return (folder / "part").read_text() == "whole"
    return False


def _database(folder: Path) -> bool:
    """Two connections write in turns: with a poor driver (FAT by FUSE) each has an old state of the other's pages."""
    expected: dict[int, str] = {}
    path, chance = folder / "try.sqlite", random.Random(1)  # noqa: S311  (the same rows each time)
    with closing(sqlite.opened(path, 1)) as one, closing(sqlite.opened(path, 1)) as two:
        one.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT)")
        one.execute("CREATE INDEX i ON t (y)")
        for turn in range(_TURNS):
            rows = {chance.randrange(2000): f"{chance.randrange(10**9):0100}" for _ in range(_ROWS)}
            db = two if turn % 2 else one
            db.execute("PRAGMA synchronous = OFF")  # whether it survives a power cut is not asked here
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT OR REPLACE INTO t VALUES (?, ?)", rows.items())
            db.execute("COMMIT")
            expected |= rows
        is_whole = one.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return is_whole and dict(one.execute("SELECT x, y FROM t").fetchall()) == expected


def _sync_file(folder: Path) -> bool:
    with (folder / "synced").open("wb") as handle:
        handle.write(b"x")
        handle.flush()
        os.fsync(handle.fileno())
    return True


def _sync_folder(folder: Path) -> bool:
    if os.name == "nt":
        return True
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return True


def _links(folder: Path) -> bool:
    (folder / "one").touch()
    (folder / "two").hardlink_to(folder / "one")
    return True


def _times(folder: Path) -> bool:
    """Whether a folder's time changes when a file in it is renamed, as `lake.unread` expects of days it has read."""
    (folder / "moved").touch()
    os.utime(folder, _OLD)
    before = folder.stat().st_mtime_ns
    (folder / "moved").rename(folder / "renamed")
    return folder.stat().st_mtime_ns != before


_NEEDED: dict[str, Callable[[Path], bool]] = {
    "it refuses the names of the lake's folders (year=2025, ^GSPC)": _names,
    "a rename cannot take the place of a file": _rename,
    "it has no file locks": _locks,
    "a file cannot be given a name that is free": _place,
    "SQLite does not work on it": _database,
}
_BETTER: dict[str, Callable[[Path], bool]] = {
    "it has no fsync, so a power cut can lose what was just written": _sync_file,
    "it has no fsync for folders, so a power cut can undo the newest renames": _sync_folder,
    "SQLite's write-ahead log does not work on it, so processes wait for each other more": sqlite.has_wal,
    "a file that is renamed or moved leaves its folder's time as it was, so copy parts into raw/, do not move them": (
        _times
    ),
}
