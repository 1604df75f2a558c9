"""What SQL of others may do: DuckDB's own parser takes it apart, and each part must be one that only reads.

A statement is serialized to JSON by DuckDB (``json_serialize_sql``), and every node of it is looked up: the kinds of
nodes are an allow-list, so that COPY or INSERT inside a WITH, or a kind of a later DuckDB, is refused. Functions that
make rows are an allow-list too; of the others all are allowed but those that run SQL of a text, read the environment or
write (`_DENIED`). Texts are never searched: what a text says matters only to a function that would run it.

Two kinds cannot be serialized. EXPLAIN is taken off its statement. A PIVOT that looks up its columns is two statements
to DuckDB. Among its words, as DuckDB's own tokenizer splits them, there must be no verb that writes and no function
that is refused.

This is the second lock. The first is that the connection has no file system that can write (`lake.readonly`).
"""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise
from typing import Any

import duckdb

from lake import views
from lake.errors import BadInputError

REFUSED = (
    "is refused, as only reading is allowed here: ask with SELECT, FROM, WITH, PIVOT, DESCRIBE, SUMMARIZE, SHOW or "
    "EXPLAIN; slice-export writes files"
)
_NO_FUNCTION = "is refused, as queries only read, and only the lake's views and Parquet files"
_NODES = {
    "ASCENDING", "BASE_TABLE", "CTE_NODE", "DESCENDING", "DISTINCT_MODIFIER", "EMPTY", "EXPRESSION_LIST", "JOIN",
    "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_DEFAULT", "ORDER_MODIFIER", "PIVOT", "RECURSIVE_CTE_NODE",
    "SELECT_NODE", "SET_OPERATION_NODE", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION",
}  # fmt: skip
"""Queries, what they read from, and how rows are sorted and limited."""
_EXPRESSIONS = {
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA",
    "OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW",
}  # fmt: skip
_TABLES = {
    "duckdb_columns", "duckdb_functions", "duckdb_keywords", "duckdb_settings", "duckdb_tables", "duckdb_types",
    "duckdb_views", "generate_series", "histogram", "histogram_values", "json_each", "json_tree",
    "parquet_file_metadata", "parquet_kv_metadata", "parquet_metadata", "parquet_scan", "parquet_schema",
    "pg_timezone_names", "range", "read_parquet", "repeat", "unnest",
} | set(views.MACROS)  # fmt: skip
"""Functions that make rows. Those of Parquet read the lake's files alone, as `lake.readonly` has no others."""
_DENIED = {
    "getenv", "json_deserialize_sql", "json_serialize_plan", "json_serialize_sql", "sleep_ms", "write_log",
}  # fmt: skip
_VERBS = {
    "alter", "analyze", "attach", "call", "checkpoint", "comment", "copy", "create", "deallocate", "delete", "detach",
    "drop", "execute", "export", "import", "insert", "install", "load", "merge", "pragma", "prepare", "reset", "set",
    "truncate", "update", "use", "vacuum",
}  # fmt: skip
_EXPLAIN = re.compile(r"\AEXPLAIN\b\s*(ANALYZE\b\s*)?(\([\w\s,]*\)\s*)?", re.IGNORECASE | re.ASCII)
"""No comment and no quote in it, so that what follows is for DuckDB what it is for us."""
_QUESTION = re.compile(r"\A(\(|(SELECT|FROM|WITH|PIVOT|UNPIVOT|VALUES|TABLE)\b)", re.IGNORECASE)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WORD = re.compile(r'"(?:[^"]|"")*"|\w+')


def check(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """Return how many statements a query has, all of which only read.

    Args:
        con: A connection to parse it with; no result of it is lost.
        query: SQL.

    Raises:
        BadInputError: a statement does something else than reading.
        duckdb.ParserException: DuckDB does not understand it.
    """
    if not isinstance(query, str) or _SURROGATE.search(query):
        raise BadInputError(f"query {str(query)[:40]!r}: expected SQL as text")
    found = con.extract_statements(query)
    for statement in found:
        _check(con, statement)
    return len(found)


def _check(con: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> None:
    text = _without_comments_before(statement.query)
    try:
        kind = statement.type
    except ValueError:  # one that the Python package has no name for, such as UPDATE EXTENSIONS
        kind = duckdb.StatementType.INVALID
    if kind == duckdb.StatementType.EXPLAIN and (rest := _EXPLAIN.sub("", text)) != text:
        try:
            check(con, rest)  # EXPLAIN ANALYZE runs it
        except duckdb.ParserException as error:
            raise BadInputError(f"EXPLAIN of this kind {REFUSED}") from error
    elif kind == duckdb.StatementType.SELECT:
        for node in _nodes(_parsed(con, statement.query)):
            _check_node(node)
    elif kind == duckdb.StatementType.MULTI and _QUESTION.match(text):
        _check_words(text)
    else:
        raise BadInputError(f"{text.split()[0].upper()} {REFUSED}")


def _parsed(con: duckdb.DuckDBPyConnection, query: str) -> Any:
    with con.cursor() as own:
        ((text,),) = own.execute("SELECT json_serialize_sql($query)", {"query": query}).fetchall()
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise BadInputError("query: too deeply nested") from error
    if found["error"]:
        raise BadInputError(f"query: what DuckDB cannot serialize {REFUSED} ({found.get('error_message')})")
    return found["statements"]


def _nodes(found: Any) -> Iterator[dict[str, Any]]:
    """Every object of what was parsed. Names in it are DuckDB's own, what a user wrote is only in values."""
    rest = [found]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            yield one
            rest += one.values()
        elif isinstance(one, list):
            rest += one


def _check_node(node: dict[str, Any]) -> None:
    kind, made = node.get("class"), node.get("type")
    if kind is not None and kind not in _EXPRESSIONS:
        raise BadInputError(f"{kind} {REFUSED}")
    if kind is None and isinstance(made, str) and made not in _NODES and not made.endswith("_TYPE_INFO"):
        raise BadInputError(f"{made.removesuffix('_QUERY_NODE')} {REFUSED}")
    if made == "TABLE_FUNCTION":
        _check_function(node["function"].pop("function_name"), _TABLES)  # its arguments are looked at later
    elif "function_name" in node:
        _check_function(node["function_name"], _functions())


def _check_function(name: str, allowed: set[str] | frozenset[str]) -> None:
    if name.lower() in allowed:
        return
    if name.lower() in _refused():
        raise BadInputError(f"{name}() {_NO_FUNCTION}")
    near = " or ".join(get_close_matches(name.lower(), allowed, n=3, cutoff=0.75))
    raise BadInputError(f"{name}(): no such function here" + (f": is {near} meant?" if near else ""))


def _check_words(text: str) -> None:
    for word in _words(text):
        if word in _VERBS:
            raise BadInputError(f"{word.upper()} {REFUSED}")
        if word in _refused():
            raise BadInputError(f"{word}() {_NO_FUNCTION}")


def _words(text: str) -> Iterator[str]:
    """Keywords and names, in small letters; what stands in a text or a comment is none."""
    code, tokens = text.encode(), duckdb.tokenize(text)
    for (at, kind), (end, _) in pairwise([*tokens, (None, None)]):
        if kind not in (duckdb.token_type.string_const, duckdb.token_type.comment):
            for word in _WORD.findall(code[at:end].decode(errors="replace")):
                yield word.removeprefix('"').removesuffix('"').replace('""', '"').lower()


@lru_cache(maxsize=1)
def _catalog() -> frozenset[tuple[str, str]]:
    with views.macros() as con:
        found = con.execute("SELECT DISTINCT lower(function_name), function_type FROM duckdb_functions()").fetchall()
    return frozenset((name, kind) for name, kind in found)


@lru_cache(maxsize=1)
def _functions() -> frozenset[str]:
    """The functions that give a value."""
    kinds = {"scalar", "aggregate", "window", "macro"}
    return frozenset(
        {name for name, kind in _catalog() if kind in kinds and not name.startswith("__")} - _DENIED | {"unnest"}
    )


@lru_cache(maxsize=1)
def _refused() -> frozenset[str]:
    """The functions that DuckDB has and that are not for SQL of others."""
    return frozenset({name for name, _ in _catalog()} | _DENIED) - _functions() - _TABLES


def _without_comments_before(query: str) -> str:
    """As DuckDB sees it: its comments nest, and end at a carriage return too."""
    code = (at for at, kind in duckdb.tokenize(query) if kind != duckdb.token_type.comment)
    return query.encode()[next(code, 0) :].decode()
