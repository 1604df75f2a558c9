"""What the rows of a slice are written with: Parquet or CSV, the same bytes for the same rows.

Text that a spreadsheet would run: a cell that begins with one of ``= + - @``, a tab, a carriage return or a line feed,
or with a full-width form of the four signs, is or hides a formula to Excel, LibreOffice or Google Sheets (OWASP, "CSV
Injection"). In a CSV, of a slice or of ``crypto-lake sql``, such a **text** gets an apostrophe before it, which
spreadsheets take for "this is text". A number is none: a funding rate of -0.0001 stays one, and ``^GSPC`` needs
nothing. No name that the lake takes begins so; but what stands in a file is not asked.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from lake.errors import LakeError
from lake.schemas import Schema

_CSV = csv.WriteOptions(include_header=True, quoting_style="needed")
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
_REPEATING = {"exchange", "symbol", "ticker", "open", "high", "low", "close", "bid", "ask", "spread", "trade_count"}
"""Columns written with a dictionary, as their values come again and again. With one for every column, writing takes 1.6
times as long, for a tenth more bytes; with none but the symbol's, a fifth more bytes."""
_UNITS = {"close_time": "ms", "exchange_open_time": "us"}
"""Times that are not whole seconds: a candle ends in .999, and opens off the grid at any moment (14.789 s after it)."""


def opened(path: Path, schema: Schema, compression: str | None) -> AbstractContextManager["Sink"]:
    """Return a sink of Parquet with a codec, or of CSV where that is None."""
    return csv_text(path, schema) if compression is None else parquet(path, schema, compression)


class Sink(Protocol):
    """Takes tables one after the other; complete when its context ends."""

    def write_table(self, table: pa.Table) -> None:
        """Write rows."""


def parquet(path: Path, schema: Schema, compression: str) -> AbstractContextManager[Sink]:
    """Return a sink of Parquet: a row group a table, no time and no path in its metadata."""
    dictionary = [name for name in schema.names if name in _REPEATING]
    sink: AbstractContextManager[Sink] = pq.ParquetWriter(
        path, schema.arrow, compression=compression, use_dictionary=dictionary
    )
    return sink


def csv_text(path: Path, schema: Schema) -> AbstractContextManager[Sink]:
    """Return a sink of CSV: UTF-8, a header, nulls as nothing, floats with as few digits as give the same double back.

    Times are as ``2025-10-21T00:00:00Z``; a `close_time` has three decimals, an `exchange_open_time` six.
    """
    return _Csv(path, schema)


class _Csv:
    def __init__(self, path: Path, schema: Schema) -> None:
        # PyArrow closes a file that it has opened itself only when it is collected, and a temporary one must go before.
        self._file = pa.OSFile(str(path), "wb")
        self._writer = csv.CSVWriter(self._file, text(schema.empty()).schema, write_options=_CSV)

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            self._writer.close()

    def write_table(self, table: pa.Table) -> None:
        self._writer.write_table(text(table))


def text(table: pa.Table) -> pa.Table:
    """Return a table as it stands in a CSV: times as text, and no text that a spreadsheet would run.

    Raises:
        LakeError: a time is finer than its column is written.
    """
    for number, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(number, pa.field(field.name, pa.string()), _iso(table[number], field.name))
        elif pa.types.is_string(field.type):
            table = table.set_column(number, field, defused(table[number]))
    return table


def defused(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts with an apostrophe before each that a spreadsheet would run as a formula."""
    runs = pc.match_substring_regex(cells, _FORMULA)
    if not pc.any(runs).as_py():
        return cells
    return pc.if_else(runs, pc.binary_join_element_wise("'", cells, ""), cells)


def _iso(times: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    unit = _UNITS.get(name, "s")
    try:
        return pc.strftime(times.cast(pa.timestamp(unit, "UTC")), "%Y-%m-%dT%H:%M:%SZ")
    except pa.ArrowInvalid as error:
        raise LakeError(f"{name}: {error}: a CSV has {unit} there; write Parquet, or check the files") from error
