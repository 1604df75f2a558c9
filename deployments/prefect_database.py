"""Prefect's own database, where it is a file of the lake's: whether it is damaged, and out of the way with it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from lake import files

REMEDY = "crypto-lake down, then crypto-lake up: it is set aside and made anew, as no data depends on it"


def path(base: str) -> Path:
    """Return where it lies."""
    return Path(base) / ".prefect" / "prefect.db"


def damage(base: str) -> str | None:
    """Return what is wrong with it, in SQLite's words; None where nothing is, or it is not there, or held for long.

    All of it is read: some seconds a gigabyte.
    """
    place = path(base)
    if not place.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True, timeout=3)) as db:
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError:  # locked, or may not be read
        return None
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else " ".join(found.split())


def set_aside(base: str) -> list[str]:
    """Set it aside where it is damaged; call it while no server runs. Return what there is to tell.

    Raises:
        LakeError: the folder cannot be written to.
    """
    why = damage(base)
    if why is None:
        return []
    aside = files.set_aside(path(base))
    for suffix in ("-wal", "-shm"):
        path(base).with_name(path(base).name + suffix).unlink(missing_ok=True)
    return [f"Prefect's database is damaged ({why}): it is {aside.name} now, and made anew"]
