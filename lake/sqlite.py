"""SQLite files that several processes use at once."""

import sqlite3
import time
from pathlib import Path

_TRIES = 100
_PAUSE_S = 0.05


def opened(path: Path, timeout_s: float, *, any_thread: bool = False) -> sqlite3.Connection:
    """Open a file, or make it, with write-ahead logging and no transaction that was not asked for.

    Changing the journal does not wait for its ``timeout`` when two processes do it at once, as they do to a new file:
    one of 48 got "database is locked". So that is tried again.

    Raises:
        sqlite3.Error: it is no such file, or stays locked.
        OSError: its folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=not any_thread)
    for attempt in range(_TRIES):
        try:
            db.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE_S)
    return db
