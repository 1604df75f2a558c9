"""SQLite files that several processes use at once."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from lake import files

_TRIES = 100
_PAUSE_S = 0.05


def opened(path: Path, timeout_s: float, *, any_thread: bool = False) -> sqlite3.Connection:
    """Open a file, or make it, with write-ahead logging where the disk can, and no transaction that was not asked for.

    A disk without shared memory (some network mounts) gets SQLite's rollback journal: readers and writers then wait
    for each other. Changing the journal does not wait for its ``timeout`` when two processes do it at once, as they do
    to a new file: one of 48 got "database is locked". So that is tried again.

    Raises:
        sqlite3.Error: it is no such file, or stays locked.
        OSError: its folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=not any_thread)
    for attempt in range(_TRIES):
        try:
            if db.execute("PRAGMA journal_mode").fetchone() != ("wal",) and has_wal(path.parent):
                db.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE_S)
    return db


def has_wal(folder: Path) -> bool:
    """Whether SQLite's write-ahead log works in a folder, by trying it with a file of its own.

    Not with the file that is wanted: SQLite accepts the mode for it, and then cannot read it any more.

    Raises:
        OSError: the folder cannot be written to.
    """
    with files.scratch_folder(folder, "sqlite") as hidden, closing(sqlite3.connect(hidden / "try.sqlite")) as db:
        try:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()
            db.execute("CREATE TABLE t (x)")
        except sqlite3.OperationalError:
            return False
    return bool(mode == ("wal",))
