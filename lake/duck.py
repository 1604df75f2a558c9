"""DuckDB: connections, and the only place where SQL is read from files."""

from functools import cache
from importlib.resources import files

import duckdb


@cache
def sql(name: str) -> str:
    """Return the statement of ``sql/NAME.sql`` (``views/bars_1s`` for one in a folder)."""
    return files("sql").joinpath(*f"{name}.sql".split("/")).read_text(encoding="utf-8")


def memory() -> duckdb.DuckDBPyConnection:
    """Return a fresh in-memory connection in UTC, its cursors too, without progress bar or extensions.

    A connection is for one thread; DuckDB's second ``execute`` on it ends the result of the first.
    """
    con = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    return con
