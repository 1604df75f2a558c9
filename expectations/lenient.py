"""A Parquet file read as it is: a missing column becomes nulls, one of another type is cast as far as that goes."""

from pathlib import Path

import pyarrow as pa

from expectations.tables import Table
from lake import checksums
from lake.errors import LakeError
from lake.files import opened

Found = dict[str, dict[str, str]]
"""The columns that are missing or of another type: what was found, and in which file first."""


def load(path: Path, table: Table, odd: Found) -> pa.Table:
    """Return the rows of one file in the columns of `Table.arrow`; note in ``odd`` what is not as declared.

    A column that files of earlier versions do not have (`lake.schemas.Column.added`) may be missing.

    Raises:
        FileNotFoundError: it is not there (any more).
        DamagedError: it is not what was written (`lake.checksums`).
        LakeError: it cannot be read.
    """
    try:
        with opened(path, checksums.read(path)) as file:
            read = file.read(columns=[name for name in file.schema_arrow.names if name in table.schema.names])
        read.validate(full=True)  # text that is none, which pandas refuses without a word about the file
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise LakeError(f"{path}: not readable as Parquet ({error}): move it away and {table.anew}") from error
    columns = []
    for column in table.schema.columns:
        index = read.schema.get_all_field_indices(column.name)
        values = read.column(index[0]) if index else None
        expected = values is None and column.added
        if not expected and (values is None or _plain(values.type) != column.type):
            odd.setdefault(
                column.name, {"found": str(values.type) if values is not None else "missing", "file": path.name}
            )
        columns.append(_cast(values, column.type, read.num_rows))
    return pa.table(columns, schema=table.arrow)


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type without what only Arrow distinguishes: the width of offsets, dictionaries, names of the zone UTC."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) and kind.tz in ("UTC", "Etc/UTC", "+00:00", "Z"):
        return pa.timestamp(kind.unit, tz="UTC")
    return kind


def _cast(values: pa.ChunkedArray | None, kind: pa.DataType, rows: int) -> pa.ChunkedArray | pa.Array:
    if values is None:
        return pa.nulls(rows, kind)
    if values.type == kind:
        return values
    try:
        return values.cast(kind, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.nulls(rows, kind)
