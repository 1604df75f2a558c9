"""Slices of the lake, each written as one Parquet or CSV file with a receipt, whole or not at all.

Rows are sorted by symbol, in the order asked for, then by window_start: those of `lake.selections`, which are the
views'. Two chunks (`lake.slices.Chunk`) are in memory at a time, one being read while the other is written. The same
slice of the same files is the same file and the same receipt, byte for byte.
"""

from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from lake import holes, inputs, locks, outputs, receipts, selections, sinks, views
from lake.errors import LakeError
from lake.layout import Layout
from lake.progress import Progress, quiet
from lake.ranges import Range
from lake.slices import Chunk, Slice
from lake.windows import DAY_US, SECOND_US, moment

_TRIES = 5


@dataclass(frozen=True)
class Sliced:
    """What was written.

    Attributes:
        path: The file.
        receipt: Its receipt.
        rows: Rows in it.
        bytes: Its size.
        without_rows: Symbols that were asked for and have no row in the range.
    """

    path: Path
    receipt: Path
    rows: int
    bytes: int
    without_rows: tuple[str, ...]


class _ChangedError(LakeError):
    """The lake's files are not the ones any more that the slice began with."""


@dataclass
class _Seen:
    """What was found on the way: rows of each symbol-day; of bars their coverage; of klines what is held."""

    rows: Counter[tuple[str, date]] = field(default_factory=Counter)
    coverage: dict[tuple[str, date], dict[str, Any]] = field(default_factory=dict)
    held: dict[str, list[Range]] = field(default_factory=dict)

    @property
    def looked_at(self) -> set[str]:
        """Symbols whose coverage is known."""
        return {symbol for symbol, _ in self.coverage}


def slice_to(
    layout: Layout,
    wanted: Slice,
    out: Path,
    overwrite: bool = False,
    require_complete: bool = False,
    progress: Progress = quiet,
) -> Sliced:
    """Write a slice to the file ``out``, its receipt beside it; the folder is made where it is missing.

    Args:
        layout: Where the lake is. A relative ``out`` is taken from its base folder.
        wanted: What is asked for (`lake.slices.asked`).
        out: The file.
        overwrite: Whether a slice that is there may be replaced; another file never is.
        require_complete: Refuse bars that are not proved complete to the last second, and klines with a candle missing.
        progress: Told before each chunk.

    Raises:
        BadInputError: the file must not be written (`lake.outputs.refuse`, `refuse_foreign`), or completeness is
            not defined here.
        LakeError: there is no row in the range, there are holes that must not be, a file of the lake cannot be read or
            changed in each of `_TRIES` tries, or the slice cannot be written.
    """
    out = layout.base / out
    outputs.refuse(layout, out, overwrite)
    if require_complete:
        holes.refuse_undefined(wanted)
    with locks.slice_file(layout, out):
        outputs.refuse(layout, out, overwrite)  # while this run waited, another may have written it
        outputs.refuse_foreign(out)
        for _ in range(_TRIES - 1):
            try:
                return _tried(layout, wanted, out, overwrite, require_complete, progress)
            except _ChangedError:
                progress(0.0, "the lake's files have changed: again")
        return _tried(layout, wanted, out, overwrite, require_complete, progress)


def _tried(
    layout: Layout, wanted: Slice, out: Path, overwrite: bool, require_complete: bool, progress: Progress
) -> Sliced:
    before, seen = inputs.listed(layout, wanted), _Seen()
    with views.macros() as con, outputs.placed(out, overwrite) as (hidden, hidden_receipt):
        with _reading(layout, wanted, before):
            verified = before.verified()
            if require_complete and wanted.source == "bars":
                for symbol in wanted.symbols:
                    progress(0.0, f"coverage of {symbol}")
                    _look(layout, con, wanted, symbol, seen)
                holes.refuse_bars(layout, con, wanted, list(seen.coverage.values()))
            with closing(_tables(layout, con, wanted, seen, progress)) as tables:
                _write(hidden, wanted, tables, seen)
        if require_complete and wanted.source == "klines":
            holes.refuse_klines(wanted, seen.held)
        _unchanged(layout, wanted, before)
        told = receipts.written(
            layout, wanted, hidden, out.name, verified, seen.rows, seen.coverage, strict=require_complete
        )
        hidden_receipt.write_bytes(told.encode())
    rows = sum(seen.rows.values())
    progress(1.0, f"{rows:,} rows")
    without = tuple(symbol for symbol in wanted.symbols if not any(name == symbol for name, _ in seen.rows))
    return Sliced(out, outputs.receipt_of(out), rows, out.stat().st_size, without)


@contextmanager
def _reading(layout: Layout, wanted: Slice, before: inputs.Inputs) -> Iterator[None]:
    """Tell a file that went away meanwhile from one that cannot be read."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise LakeError(
            f"memory ran out ({' '.join(str(error).split())}): end other programs, and try again"
        ) from error
    except (duckdb.Error, FileNotFoundError) as error:
        _unchanged(layout, wanted, before)
        what = " ".join(str(error).split())
        raise LakeError(f"{wanted.source} cannot be read ({what}): move the file away, and make it anew") from error


def _unchanged(layout: Layout, wanted: Slice, before: inputs.Inputs) -> None:
    if inputs.listed(layout, wanted) != before:
        raise _ChangedError(
            f"{wanted.source} in {wanted.window} change while they are read: end the range earlier, or try again later"
        )


def _look(layout: Layout, con: duckdb.DuckDBPyConnection, wanted: Slice, symbol: str, seen: _Seen) -> None:
    """Take in the coverage of a symbol's bars, a row a day."""
    found = selections.coverage(layout, [symbol], wanted.whole, DAY_US // SECOND_US).on(con)
    for row in found.to_arrow_table().to_pylist():
        seen.coverage[symbol, row["window_start"].date()] = row


def _tables(
    layout: Layout, con: duckdb.DuckDBPyConnection, wanted: Slice, seen: _Seen, progress: Progress
) -> Generator[tuple[Chunk, pa.Table], None, None]:
    """Yield chunks that have rows; while one is being written the next one is read, by a thread that has ``con``."""
    work = [chunk for symbol in wanted.symbols for chunk in wanted.chunks(layout, symbol)]

    def read(chunk: Chunk) -> pa.Table:
        if wanted.source == "bars" and chunk.symbol not in seen.looked_at:
            _look(layout, con, wanted, chunk.symbol, seen)
        return wanted.rows(layout, con, chunk)

    with ThreadPoolExecutor(1, "slice") as reader:
        reads = (reader.submit(read, chunk) for chunk in work)
        ahead = next(reads, None)
        for number, chunk in enumerate(work):
            progress(number / len(work), str(chunk))
            table = ahead.result() if ahead else None
            ahead = next(reads, None)
            if table is not None and table.num_rows:
                yield chunk, table


def _write(hidden: Path, wanted: Slice, tables: Iterator[tuple[Chunk, pa.Table]], seen: _Seen) -> None:
    first = next(tables, None)
    if first is None:
        names = ", ".join(wanted.symbols)
        raise LakeError(f"{names}: no {wanted.source} in {wanted.window}: nothing written; {_BEFORE[wanted.source]}")
    with sinks.opened(hidden, wanted.schema, wanted.compression) as sink:
        for chunk, table in chain([first], tables):
            sink.write_table(table)
            _count(seen, wanted, chunk.symbol, table)


_BEFORE = {
    "bars": "transform the range first",
    "klines": "run backfill-binance first",
    "macro": "run macro-minute first",
    "funding": "run derivatives-hour first",
}


def _count(seen: _Seen, wanted: Slice, symbol: str, table: pa.Table) -> None:
    days = pc.divide(table["window_start"].cast(pa.int64()), DAY_US)
    for found in pc.value_counts(days).to_pylist():
        seen.rows[symbol, moment(found["values"] * DAY_US).date()] += found["counts"]
    if wanted.source == "klines":
        seen.held.setdefault(symbol, []).extend(holes.held(wanted, table))
