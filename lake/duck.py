"""DuckDB: connections, and the only place where SQL is read from files."""

import re
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from weakref import WeakSet

import duckdb

from lake import interrupts


@cache
def sql(name: str) -> str:
    """Return the statement of ``sql/NAME.sql`` (``views/bars_1s`` for one in a folder)."""
    return files("sql").joinpath(*f"{name}.sql".split("/")).read_text(encoding="utf-8")


def memory() -> duckdb.DuckDBPyConnection:
    """Return a fresh in-memory connection in UTC, its cursors too, without progress bar or extensions.

    A connection is for one thread; DuckDB's second ``execute`` on it ends the result of the first.
    """
    con = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    _open.add(con)
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    return con


def interrupt() -> None:
    """End the queries of all connections that `memory` has made, in whichever thread: each raises InterruptException.

    Without it DuckDB works on a query to its end after a signal's handler has raised an exception, and only then
    returns (2.0.1).
    """
    with suppress(RuntimeError):  # another thread makes one right now
        for con in list(_open):
            with suppress(duckdb.Error):  # it is closed
                con.interrupt()


_open: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
interrupts.also(interrupt)


def reason(error: duckdb.Error) -> str:
    """Return DuckDB's message in a line, without the query that it quotes.

    What a file system in Python raises it makes a traceback's text of: that one's last line then.
    """
    text = str(error)
    if text.startswith("Traceback"):
        text = text.strip().rpartition("\n")[2].partition(": ")[2]
    return " ".join(text.split("\n\nLINE ")[0].split())


def pattern(path: Path) -> str:
    """Return the glob that finds just this path: DuckDB takes every name of a file for a glob, ``/data[1]`` too."""
    return re.sub(r"[*?[]", r"[\g<0>]", str(path)).replace("\\", "/")


def path(glob: str) -> Path:
    """Return the path that `pattern` made a glob of."""
    return Path(re.sub(r"\[([*?[])\]", r"\1", glob))


def literal(value: str | list[str]) -> str:
    """Quote a value for a statement that takes no parameters (SET, DDL)."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return "'" + value.replace("'", "''") + "'"
