"""SQL that somebody else wrote: it reads the lake, and does nothing else.

Two locks, of which each would do. The connection has no file system that could write, and none but the lake's Parquet
files to read (`lake.views.readonly`). And `lake.statements` lets only statements through whose every part reads. What
was tried against them, statement by statement on DuckDB 2.0.1: tests/lake/test_sandbox.py.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from lake import duck, readonly, settings, statements, views
from lake.errors import BadInputError, LakeError

_RESULTS = {
    "description", "df", "fetch_df", "fetch_df_chunk", "fetchall", "fetchdf", "fetchmany", "fetchnumpy", "fetchone",
    "interrupt", "register", "rowcount", "table", "to_arrow_reader", "to_arrow_table", "unregister", "view",
}  # fmt: skip
_TEXT = re.compile(rb"'((?:[^']|'')*\.parquet)'(?!')")


class Connection:
    """A DuckDB connection that has the lake's views and only reads.

    ``sql`` (or ``query``) returns a DuckDB relation, ``execute`` the connection itself, for ``fetchall``, ``df`` or
    ``to_arrow_table``; ``register`` adds a DataFrame or Arrow table of yours under a name. ``cursor`` gives one more
    for another thread. Times are in UTC.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, base: Path) -> None:
        self._con = con
        self._base = base

    def sql(self, query: str, params: Any = None) -> duckdb.DuckDBPyRelation:
        """Return what a query gives, as a relation that reads the files whenever it is asked.

        Raises:
            BadInputError: a statement does something else than reading, or names a file that queries may not read.
            LakeError: a file cannot be read.
            duckdb.Error: DuckDB does not understand it.
        """
        self.statements(query)
        with _explained():
            return self._con.sql(self._named(query), params=readonly.named(self._base, params))

    query = sql

    def execute(self, query: str, params: Any = None) -> Self:
        """Run a query; then fetch what it gives from this connection. Raises as `sql`."""
        self.statements(query)
        with _explained():
            self._con.execute(self._named(query), readonly.named(self._base, params))
        return self

    def cursor(self) -> "Connection":
        """Return another connection to the same views, for another thread."""
        return Connection(self._con.cursor(), self._base)

    def close(self) -> None:
        """Close the connection."""
        self._con.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if name in _RESULTS:
            return getattr(self._con, name)
        raise AttributeError(f"{name}: this connection only reads; it has sql, execute, cursor, {', '.join(_RESULTS)}")

    def statements(self, query: str) -> int:
        """Return how many statements a query has. Raises as `sql`."""
        return statements.check(self._con, query)

    def _named(self, query: str) -> str:
        """Name a file below the lake's folder, ``'data/reports/parity.parquet'``, as the connection's file system does.

        Only a plain text in the SQL becomes another such text, so that what was checked stays true.
        """
        code, parts, done = query.encode(), [], 0
        for at, kind in duckdb.tokenize(query):
            found = _TEXT.match(code, at) if kind == duckdb.token_type.string_const else None
            if found:
                text = found[1].decode().replace("''", "'")
                parts += [code[done:at], duck.literal(readonly.named(self._base, text)).encode()]
                done = found.end()
        return b"".join([*parts, code[done:]]).decode()


@contextmanager
def _explained() -> Iterator[None]:
    """Say in a line what the file system refused."""
    try:
        yield
    except duckdb.Error as error:
        if not str(error).startswith("Traceback"):
            raise
        refused = "\nPermissionError: " in str(error)
        raise (BadInputError if refused else LakeError)(duck.reason(error)) from error


def connect(base: str | Path | None = None, *, confined: bool = False) -> Connection:
    """Return a connection to every view of the lake (`config.yml` says where, or ``base``) that only reads.

    It reads the lake's Parquet files and nothing else, and cannot write. It loads no extension, and its settings are
    locked.

    Args:
        base: The lake's folder, where it is not that of the config.yml in force.
        confined: This whole process, too, gives up writing files, for good, where the system has that (Landlock).

    Raises:
        BadInputError: a setting is wrong, or there is no such folder.
    """
    layout = settings.layout(base)
    return Connection(views.readonly(layout, confined=confined), layout.base.resolve())
