"""What a query gives, written for people (a table) or programs (CSV, JSON), a batch at a time."""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime, time
from numbers import Number
from typing import Any, Literal, TextIO, cast

import duckdb
import pyarrow as pa

from lake import duck, sandbox, settings, sinks, views
from lake.errors import BadInputError, LakeError
from lake.windows import iso

Form = Literal["table", "csv", "json"]
_BATCH = 10_000
_LEFT_OUT, _GAP = "…", 3
"""What stands for columns left out, and the room between two columns."""
_REFUSED = (
    duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.PermissionException,
    duckdb.InvalidInputException, duckdb.ConversionException, duckdb.SyntaxException, duckdb.NotImplementedException,
)  # fmt: skip
_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "UINTEGER", "FLOAT", "DOUBLE"}


def answer(query: str, form: Form, out: TextIO, rows: int = 40, *, confined: bool = False) -> None:
    """Run one query on the lake of the settings in force, which it can only read, and write what it gives.

    A table shows the first ``rows`` rows, and, where a terminal has no room for all columns, the first ones and the
    last; it says where there are more. CSV has a header, times as ISO 8601 in UTC, the shortest digits that give the
    same number back, nothing for null, and an apostrophe before each text that a spreadsheet would run as a formula
    (`lake.sinks`). JSON is a list of objects, one a line; what is no number in JSON (NaN, infinity) is null there, as
    null is. On a terminal, control characters are replaced in CSV and JSON too; a file or pipe gets the exact data.

    Args:
        query: SQL.
        form: A table, CSV or JSON.
        out: Where to.
        rows: Of a table at most.
        confined: As of `lake.sandbox.connect`: this process can write no file afterwards.

    Raises:
        BadInputError: it does something else than reading, is no SQL, or asks for other files than the lake's.
        LakeError: it cannot be run to its end.
    """
    with _connected(confined) as con:
        try:
            if con.statements(query) != 1:
                raise BadInputError("expected one query, such as crypto-lake sql 'FROM bars_1m LIMIT 5'")
            found = con.execute(query)
            columns = [(str(name), str(kind)) for name, kind, *_ in found.description or ()]
            shown = cast(TextIO, _Terminal(out)) if form != "table" and out.isatty() else out
            {"table": _table, "csv": _csv, "json": _json}[form](con, columns, shown, rows)
        except _REFUSED as error:
            raise BadInputError(_one_line(error)) from error
        except duckdb.Error as error:
            raise LakeError(_one_line(error)) from error


@contextmanager
def _connected(confined: bool) -> Iterator[sandbox.Connection]:
    try:
        with sandbox.connect(confined=confined) as con:
            yield con
    finally:
        for folder in views.spilled(settings.layout()) if confined else ():
            with suppress(OSError):
                folder.rmdir()


def _one_line(error: duckdb.Error) -> str:
    text = duck.reason(error)
    if isinstance(error, duckdb.PermissionException):
        return f"{text.partition(' - ')[0]}: queries read the lake's Parquet files and nothing else"
    return text


class _Terminal:
    """A terminal that programs' formats are looked at on: it gets no character that it would obey."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write("\n".join(map(_printable, text.split("\n"))))


def _batches(con: sandbox.Connection) -> Iterator[list[tuple[Any, ...]]]:
    while batch := con.fetchmany(_BATCH):
        yield batch


def _table(con: sandbox.Connection, columns: list[tuple[str, str]], out: TextIO, rows: int) -> None:
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table

    found = con.fetchmany(rows + 1)
    cells = [[_plain("" if value is None else _text(value)) for value in row] for row in found[:rows]]
    console = Console(file=out, width=None if out.isatty() else 100_000, highlight=False)
    heads = [_plain(name) for name, _ in columns]
    left, right = fitting([max(map(cell_len, column)) for column in zip(heads, *cells, strict=True)], console.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, (head, (_, kind)) in enumerate(zip(heads, columns, strict=True)):
        if number == left < right:
            table.add_column(_LEFT_OUT)
        if number < left or number >= right:
            figures = kind in _NUMBERS or kind.startswith("DECIMAL")
            table.add_column(head, justify="right" if figures else "left", overflow="fold")
    for row in cells:
        table.add_row(*row[:left], *([_LEFT_OUT] if left < right else []), *row[right:])
    console.print(table)
    more = f"the first {rows:,} rows; --rows N shows more, --format csv all of them"
    said = more if len(found) > rows else f"{len(found):,} row{'' if len(found) == 1 else 's'}"
    if left < right:
        shown = len(columns) - (right - left)
        said += f"; {shown} of {len(columns)} columns: SELECT those you want, or --format csv"
    console.print(said, style="dim")


def fitting(widths: Sequence[int], room: int) -> tuple[int, int]:
    """Return which columns of a table to leave out, from the first to the one before the second, so that it fits.

    The last column is kept (of bars that is `complete`), and the first ones, as many as fit; where not even two do, all
    are kept, and their cells are folded.

    Args:
        widths: Of each column's longest cell.
        room: Of the terminal.
    """
    none = len(widths), len(widths)
    if sum(widths) + _GAP * len(widths) <= room:
        return none
    room -= len(_LEFT_OUT) + _GAP + widths[-1] + _GAP
    for left, width in enumerate(widths[:-1]):
        room -= width + _GAP
        if room < 0:
            return (left, len(widths) - 1) if left else none
    return none


def _csv(con: sandbox.Connection, columns: list[tuple[str, str]], out: TextIO, rows: int) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_cells([name for name, _ in columns]))
    for batch in _batches(con):
        writer.writerows(zip(*map(_cells, zip(*batch, strict=True)), strict=True))


def _cells(column: Sequence[Any]) -> list[str]:
    """A column as it stands in a CSV."""
    texts = ["" if value is None else _text(value) for value in column]
    if all(value is None or isinstance(value, Number) for value in column):
        return texts
    found: list[str] = sinks.defused(pa.chunked_array([pa.array(texts, pa.string())])).to_pylist()
    return found


def _json(con: sandbox.Connection, columns: list[tuple[str, str]], out: TextIO, rows: int) -> None:
    names, comma = [name for name, _ in columns], "["
    for batch in _batches(con):
        for row in batch:
            found = {name: _finite(value) for name, value in zip(names, row, strict=True)}
            out.write(f"{comma}\n{json.dumps(found, default=_text, ensure_ascii=False)}")
            comma = ","
    out.write("\n]\n" if comma == "," else "[]\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    return str(value)


def _plain(text: str) -> str:
    """No markup, no control character that a terminal would obey."""
    from rich.markup import escape

    return escape(_printable(text))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
