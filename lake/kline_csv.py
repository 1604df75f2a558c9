"""The archive's CSV of klines, read as numbers: quickly where it is as documented, field by field where it is not."""

import io
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv

from lake import archive
from lake.errors import LakeError
from lake.kline_rows import FIELDS, TIMES

_TRADES = 8
_KINDS = [pa.int64() if at in (*TIMES, _TRADES) else pa.float64() for at in range(FIELDS - 1)] + [pa.string()]
_AROUND = b' \t\r"'
_NAN = float("nan")


@dataclass(frozen=True)
class Table:
    """Twelve columns of numbers, NaN where a field is not a number; and why rows could not be read, by row number."""

    columns: list[npt.NDArray[np.generic]]
    unread: dict[int, str]
    text: bytes

    def lines(self, rows: Sequence[int]) -> list[str]:
        """Return the text of some rows."""
        there = _lines(self.text)
        return [there[row].rstrip(b"\r").decode("utf-8", "backslashreplace") for row in rows]


def read(text: bytes) -> Table:
    """Read a CSV: commas between twelve fields, with a header row or without.

    Numbers may have an exponent, a decimal point where they are whole, blanks or quotes around them.

    Raises:
        LakeError: there is no row in it.
    """
    text = archive.headless(text)
    if not text.strip():
        raise LakeError("it has no row")
    try:
        names = [str(at) for at in range(FIELDS)]
        options = pacsv.ConvertOptions(
            column_types=dict(zip(names, _KINDS, strict=True)), null_values=[], strings_can_be_null=False
        )
        reading = pacsv.ReadOptions(column_names=names, use_threads=False)
        found = pacsv.read_csv(io.BytesIO(text), read_options=reading, convert_options=options)
    except pa.ArrowException:
        return _field_by_field(text)
    return Table([*(column.to_numpy() for column in found.columns[:-1]), np.zeros(found.num_rows)], {}, text)


def _field_by_field(text: bytes) -> Table:
    """Some 4 µs a row (pyarrow: 0.3); arrays of doubles, so that a month of seconds takes 250 MB, not gigabytes."""
    columns, unread = [array("d") for _ in range(FIELDS - 1)], dict[int, str]()
    for number, line in enumerate(_lines(text)):
        fields = line.split(b",")
        if len(fields) != FIELDS:
            unread[number] = f"it has {len(fields)} fields, expected {FIELDS}"
            fields = [b""] * FIELDS
        for column, field in zip(columns, fields, strict=False):
            column.append(_number(field))
    return Table([*(np.array(column) for column in columns), np.zeros(len(columns[0]))], unread, text)


def _lines(text: bytes) -> list[bytes]:
    """The rows; empty lines are not counted (pyarrow does the same)."""
    return [line for line in text.split(b"\n") if line.strip()]


def _number(field: bytes) -> float:
    try:
        return float(field.strip(_AROUND)) if b"_" not in field else _NAN  # Python's 1_000 is no number here
    except ValueError:
        return _NAN
