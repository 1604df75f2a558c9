"""SQL that somebody else wrote: it reads the lake, and does nothing else.

`lake.views.locked` keeps DuckDB inside of the lake's folder and its settings as they are. What DuckDB has no setting
for is refused here by the statement's kind: COPY, EXPORT and ATTACH, which would write into that folder, and everything
else that is not a question. Tried statement by statement on DuckDB 2.0.1 (tests/lake/test_sandbox.py).
"""

import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from lake import settings, views
from lake.errors import BadInputError

_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.RELATION}
_RESULTS = {
    "description", "df", "fetch_df", "fetch_df_chunk", "fetchall", "fetchdf", "fetchmany", "fetchnumpy", "fetchone",
    "interrupt", "register", "rowcount", "table", "to_arrow_reader", "to_arrow_table", "unregister", "view",
}  # fmt: skip
_COMMENT = re.compile(r"\A(\s+|--[^\n]*(\n|\Z)|/\*.*?\*/)*", re.DOTALL)
_EXPLAIN = re.compile(r"\AEXPLAIN\b\s*(ANALYZE\b\s*)?(\([^()]*\)\s*)?", re.IGNORECASE)
_QUESTION = re.compile(r"\A(\(|(SELECT|FROM|WITH|PIVOT|UNPIVOT|VALUES|TABLE)\b)", re.IGNORECASE)


_REFUSED = (
    "is refused, as only reading is allowed here: ask with SELECT, FROM, WITH, PIVOT, DESCRIBE, SUMMARIZE, SHOW or "
    "EXPLAIN; slice-export writes files"
)


class Connection:
    """A DuckDB connection that has the lake's views and only reads.

    ``sql`` (or ``query``) returns a DuckDB relation, ``execute`` the connection itself, for ``fetchall``, ``df`` or
    ``to_arrow_table``; ``register`` adds a DataFrame or Arrow table of yours under a name. ``cursor`` gives one more
    for another thread. Times are in UTC.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def sql(self, query: str, params: Any = None) -> duckdb.DuckDBPyRelation:
        """Return what a query gives, as a relation that reads the files whenever it is asked.

        Raises:
            BadInputError: a statement does something else than reading.
            duckdb.Error: DuckDB does not understand it, or it leads out of the lake's folder.
        """
        return self._con.sql(self._checked(query), params=params)

    query = sql

    def execute(self, query: str, params: Any = None) -> Self:
        """Run a query; then fetch what it gives from this connection. Raises as `sql`."""
        self._con.execute(self._checked(query), params)
        return self

    def cursor(self) -> "Connection":
        """Return another connection to the same views, for another thread."""
        fresh = self._con.cursor()
        return Connection(fresh)

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

    def _checked(self, query: str) -> str:
        try:
            statements = self._con.extract_statements(query)
        except ValueError:  # of a kind that the Python package has no name for, such as UPDATE EXTENSIONS
            raise BadInputError(f"this statement {_REFUSED}") from None
        for statement in statements:
            self._check(statement)
        return query

    def _check(self, statement: duckdb.Statement) -> None:
        kind, text = statement.type, _COMMENT.sub("", statement.query)
        if kind == duckdb.StatementType.EXPLAIN and (rest := _EXPLAIN.sub("", text)) != text:
            self._checked(rest)  # EXPLAIN ANALYZE runs it
        elif kind not in _READING and not (kind == duckdb.StatementType.MULTI and _QUESTION.match(text)):
            raise BadInputError(f"{text.split()[0].upper()} {_REFUSED}")


def connect(base: str | Path | None = None) -> Connection:
    """Return a connection to every view of the lake (`config.yml` says where, or ``base``) that only reads.

    It reads nothing outside of the lake's folder, loads no extension, and its settings stay as they are.

    Raises:
        BadInputError: a setting is wrong, or there is no such folder.
    """
    return Connection(views.locked(settings.layout(base)))
