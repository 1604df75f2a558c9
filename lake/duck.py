"""DuckDB: connections, and the only place where SQL is read from files."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb


@cache
def sql(name: str) -> str:
    """Return the statement of ``sql/NAME.sql`` (``views/bars_1s`` for one in a folder)."""
    return files("sql").joinpath(*f"{name}.sql".split("/")).read_text(encoding="utf-8")


def memory(threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """Return a fresh in-memory connection in UTC, without progress bar or extensions.

    A connection is for one thread; DuckDB's second ``execute`` on it ends the result of the first.
    """
    con = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    if threads:
        con.execute(f"SET threads = {int(threads)}")
    return con


def quoted(text: str | Path) -> str:
    """Return text as an SQL string literal, for the statements that cannot bind a value (views)."""
    return "'" + str(text).replace("'", "''") + "'"
