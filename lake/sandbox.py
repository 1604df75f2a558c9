"""SQL that somebody else wrote: it reads the lake, and does nothing else.

`lake.views.locked` keeps DuckDB inside of the lake's folder and its settings as they are. What DuckDB has no setting
for is refused here by the statement's kind: COPY, EXPORT and ATTACH, which would write into that folder, and everything
else that is not a question. A question can have a COPY inside (``WITH x AS (COPY …) FROM x``, kind SELECT): so the word
is refused wherever it stands, be it in a text, as telling those apart is what an attack would lead astray. Tried
statement by statement on DuckDB 2.0.1 (tests/lake/test_sandbox.py).

What is not refused: a relation's own ``to_parquet`` and ``to_csv``, which write inside of the lake's folder; they are
Python that one writes oneself, not SQL that somebody else wrote.
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
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_COPY = re.compile(r"\bCOPY\b", re.IGNORECASE)
_EXPLAIN = re.compile(r"\AEXPLAIN\b\s*(ANALYZE\b\s*)?(\([\w\s,]*\)\s*)?", re.IGNORECASE | re.ASCII)
"""No comment and no quote in it, so that what follows is for DuckDB what it is for us."""
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

    def statements(self, query: str) -> int:
        """Return how many statements a query has. Raises as `sql`."""
        if not isinstance(query, str) or _SURROGATE.search(query):
            raise BadInputError(f"query {str(query)[:40]!r}: expected SQL as text")
        found = self._con.extract_statements(query)
        for statement in found:
            self._check(statement)
        return len(found)

    def _checked(self, query: str) -> str:
        self.statements(query)
        return query

    def _check(self, statement: duckdb.Statement) -> None:
        text = _without_comments_before(statement.query)
        try:
            kind = statement.type
        except ValueError:  # one that the Python package has no name for, such as UPDATE EXTENSIONS
            kind = duckdb.StatementType.INVALID
        if _COPY.search(text):
            raise BadInputError(f"COPY {_REFUSED}")
        if kind == duckdb.StatementType.EXPLAIN and (rest := _EXPLAIN.sub("", text)) != text:
            try:
                self.statements(rest)  # EXPLAIN ANALYZE runs it
            except duckdb.ParserException as error:
                raise BadInputError(f"EXPLAIN of this kind {_REFUSED}") from error
        elif kind not in _READING and not (kind == duckdb.StatementType.MULTI and _QUESTION.match(text)):
            raise BadInputError(f"{text.split()[0].upper()} {_REFUSED}")


def _without_comments_before(query: str) -> str:
    """As DuckDB sees it: its comments nest, and end at a carriage return too."""
    code = (at for at, kind in duckdb.tokenize(query) if kind != duckdb.token_type.comment)
    return query.encode()[next(code, 0) :].decode()


def connect(base: str | Path | None = None) -> Connection:
    """Return a connection to every view of the lake (`config.yml` says where, or ``base``) that only reads.

    It reads nothing outside of the lake's folder, loads no extension, and its settings stay as they are.

    Raises:
        BadInputError: a setting is wrong, or there is no such folder.
    """
    return Connection(views.locked(settings.layout(base)))
