"""Slices: bars of some symbols and a range, written as one Parquet or CSV file, whole or not at all.

The columns are those of `lake.schemas.BARS`. Rows are sorted by symbol, in the order asked for, then by window_start.
No more than one symbol-day is in memory at a time. The same slice of the same bars is the same file, byte for byte.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from lake import files, read
from lake.errors import BadInputError, LakeError
from lake.layout import Layout
from lake.names import symbols as checked_symbols
from lake.progress import Progress, quiet
from lake.schemas import BARS
from lake.timeframes import Timeframe, on_grid
from lake.windows import Window

_OWN = {"raw", "parquet", "backfill", "derivatives", "macro", "quarantine", "ledger", "locks", "logs"}
_CSV = csv.WriteOptions(include_header=True, quoting_style="needed")


@dataclass(frozen=True)
class Sliced:
    """What was written.

    Attributes:
        path: The file.
        rows: Bars in it.
        bytes: Its size.
        without_bars: Symbols that were asked for and have no bar in the range.
    """

    path: Path
    rows: int
    bytes: int
    without_bars: tuple[str, ...]


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...


def slice_to(
    layout: Layout,
    symbols: list[str],
    window: Window,
    tf: Timeframe,
    out: Path,
    form: Literal["parquet", "csv"] = "parquet",
    compression: str = "snappy",
    progress: Progress = quiet,
) -> Sliced:
    """Write the bars of ``symbols`` in ``window`` to the file ``out``; its folder is made where it is missing.

    Args:
        layout: Where the lake is. A relative ``out`` is taken from its base folder.
        symbols: Pairs, in the order in which they shall be in the file.
        window: The range; whole minutes where ``tf`` is ``1m``.
        tf: Length of a bar.
        out: The file, which must not be there yet.
        form: ``csv`` writes times as ``2025-10-21T00:00:00Z``, floats with as few digits as give the same double back,
            nulls as nothing.
        compression: Parquet's codec; no CSV is compressed.
        progress: Told after each symbol-day.

    Raises:
        BadInputError: the file is there, lies among the lake's own, or a range of minutes does not begin or end on one.
        LakeError: there is no bar in the range at all, or the file cannot be written.
    """
    symbols, out = checked_symbols(symbols), layout.base / out
    _refuse(layout, window, tf, out)
    work = [(symbol, day) for symbol in symbols for day in _days(layout, symbol, window)]
    rows = dict.fromkeys(symbols, 0)
    with files.whole(out) as hidden, ExitStack() as closing:
        writer: _Writer | None = None
        for number, (symbol, day) in enumerate(work):
            progress(number / len(work), f"{symbol} {day}")
            for table in _bars(layout, symbol, day, window, tf):
                writer = writer or closing.enter_context(_writer(hidden, form, compression))
                writer.write_table(table if form == "parquet" else _text(table))
                rows[symbol] += table.num_rows
        if writer is None:
            raise LakeError(f"{', '.join(symbols)}: no bars in {window}: nothing written; transform the range first")
        closing.close()
    progress(1.0, f"{sum(rows.values()):,} bars")
    return Sliced(out, sum(rows.values()), out.stat().st_size, tuple(s for s, count in rows.items() if not count))


def _refuse(layout: Layout, window: Window, tf: str, out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise BadInputError(f"{out}: is there already: name another file, or move it away")
    if (
        layout.base.resolve() in out.resolve().parents
        and out.resolve().relative_to(layout.base.resolve()).parts[0] in _OWN
    ):
        raise BadInputError(
            f"{out}: lies among the lake's own files, where readers would take it for theirs: name another folder"
        )
    on_grid(window, tf)


def _days(layout: Layout, symbol: str, window: Window) -> list[date]:
    first, last = window.start.date(), window.end.date()
    there = {*layout.hour_days(symbol), *layout.compacted_days(symbol)}
    return sorted(day for day in there if first <= day <= last and Window.of_day(day).clip(window))


def _bars(layout: Layout, symbol: str, day: date, window: Window, tf: Timeframe) -> Iterator[pa.Table]:
    table = read.day(layout, symbol, day, window)
    if table.num_rows:
        yield (BARS.conform(read.rolled_up(table, tf)) if tf != "1s" else table).combine_chunks()


def _writer(path: Path, form: str, compression: str) -> "pq.ParquetWriter | csv.CSVWriter":
    if form == "parquet":
        return pq.ParquetWriter(path, BARS.arrow, compression=compression)
    return csv.CSVWriter(path, _text(BARS.empty()).schema, write_options=_CSV)


def _text(table: pa.Table) -> pa.Table:
    """Bars start on whole seconds, so their times are written without decimals."""
    times = pc.strftime(table["window_start"].cast(pa.timestamp("s", "UTC")), "%Y-%m-%dT%H:%M:%SZ")
    return table.set_column(1, pa.field("window_start", pa.string(), nullable=False), times)
