"""DuckDB: connections, and the only place where SQL is read from files."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

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
