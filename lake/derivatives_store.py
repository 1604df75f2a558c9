"""Fundings and open interest as they lie in the lake: a file a contract and year, and one a contract and day.

A year's file says, in its metadata, of which stretches of time it has all fundings: how often a contract pays (every
8, 4 or 1 hours) changes, so the rows alone cannot tell. Write only while holding `lake.locks.derivatives`.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from lake import files
from lake.errors import LakeError
from lake.futures import GRID
from lake.intervals import Opens, opens
from lake.layout import Layout
from lake.ranges import Range, joined
from lake.schemas import FUNDING, OPEN_INTEREST, Schema
from lake.windows import DAY_US, Window, iso, moment

_WHOLE = b"whole_us"
_ANEW = "run derivatives-hour for it anew"


def holds(layout: Layout, symbol: str) -> bool:
    """Whether the lake has anything of a contract."""
    return any((layout.derivatives / kind / symbol).is_dir() for kind in ("funding", "open_interest"))


def whole(layout: Layout, symbol: str, year: int) -> list[Range]:
    """Return the stretches of a year, in microseconds, of which the lake has all fundings that were paid."""
    path = layout.funding_file(symbol, year)
    if not path.exists():
        return []
    with files.parquet(path, _ANEW) as handle:
        return _noted(handle.schema_arrow)


def fundings(layout: Layout, symbol: str, year: int) -> pa.Table:
    """Return the fundings of a year that are in the lake, as `lake.schemas.FUNDING`, sorted.

    Raises:
        LakeError: the file cannot be read.
    """
    return _read(layout.funding_file(symbol, year), FUNDING)


def put_fundings(layout: Layout, symbol: str, year: int, new: pa.Table, stretch: Range, compression: str) -> int:
    """Add fundings to a year's file, and that it now has all of a stretch; return how many were added.

    Of two tellings of a funding the one with a mark price is kept, which the archive has not; else the one held.

    Args:
        layout: Where the lake is.
        symbol: The contract.
        year: The UTC year in which all of ``new`` were paid.
        new: Fundings, as `lake.schemas.FUNDING`, in any order.
        stretch: Microseconds; of a range that ends before it starts nothing is noted.
        compression: Parquet's codec.

    Raises:
        LakeError: a funding is of another year, or the file cannot be read or written.
    """
    path, there = layout.funding_file(symbol, year), fundings(layout, symbol, year)
    if any(at.year != year for at in new["funding_time"].to_pylist()):
        raise LakeError(f"{path}: a funding of another year was to be put there")
    before = whole(layout, symbol, year)
    after, table = joined([*before, stretch]), _best(pa.concat_tables([there, new]))
    if table.equals(there) and after == before:
        return 0
    noted = {_WHOLE: orjson.dumps(after)}
    files.sweep(path.parent)
    files.write_parquet(path, table.replace_schema_metadata(noted), compression)
    return len(table) - len(there)


def lacking(layout: Layout, symbol: str, day: date, wanted: Opens) -> Opens:
    """Return which of some moments of a day have no open interest. A whole day is told by its number of rows."""
    path = layout.open_interest_file(symbol, day)
    if not path.exists():
        return wanted
    with files.parquet(path, _ANEW) as handle:
        if handle.metadata.num_rows == len(_grid(day)):
            return wanted[:0]
        there = handle.read(columns=["ts"])["ts"].cast(pa.int64()).to_numpy()
    return wanted[~np.isin(wanted, there)]


def interests(layout: Layout, symbol: str, day: date) -> pa.Table:
    """Return the open interest of a day that is in the lake, as `lake.schemas.OPEN_INTEREST`, sorted.

    Raises:
        LakeError: the file cannot be read.
    """
    return _read(layout.open_interest_file(symbol, day), OPEN_INTEREST)


def put_interests(layout: Layout, symbol: str, new: pa.Table, compression: str) -> int:
    """Add open interest to the files of its days; moments that are there already stay as they are.

    Args:
        layout: Where the lake is.
        symbol: The contract.
        new: Open interest, as `lake.schemas.OPEN_INTEREST`, in any order, of any days.
        compression: Parquet's codec.

    Returns:
        How many moments were added.

    Raises:
        LakeError: a moment is off the 5-minute grid, or a file cannot be read or written.
    """
    times = new["ts"].cast(pa.int64()).to_numpy()
    return sum(
        _put_day(
            layout, symbol, moment(int(number) * DAY_US).date(), new.filter(times // DAY_US == number), compression
        )
        for number in np.unique(times // DAY_US)
    )


def _put_day(layout: Layout, symbol: str, day: date, new: pa.Table, compression: str) -> int:
    path, there = layout.open_interest_file(symbol, day), interests(layout, symbol, day)
    times = new["ts"].cast(pa.int64()).to_numpy()
    strange = times[~np.isin(times, _grid(day))]
    if len(strange):
        raise LakeError(f"{path}: {iso(moment(int(strange[0])))} is off the {GRID} grid")
    _, first = np.unique(times, return_index=True)
    fresh = new.take(pa.array(first)).filter(~np.isin(times[first], there["ts"].cast(pa.int64()).to_numpy()))
    if len(fresh):
        table = pa.concat_tables([there, fresh]).sort_by("ts").combine_chunks()
        files.sweep(path.parent)
        files.write_parquet(path, OPEN_INTEREST.conform(table), compression)
    return len(fresh)


def _best(table: pa.Table) -> pa.Table:
    """Sort fundings; of those of one moment take the first with a mark price, else the first."""
    at = table["funding_time"].cast(pa.int64()).to_numpy()
    order = np.lexsort((np.arange(len(at)), pc.is_null(table["mark_price"]).to_numpy(), at))
    _, first = np.unique(at[order], return_index=True)
    return FUNDING.conform(table.take(pa.array(order[first])).combine_chunks())


def _noted(schema: pa.Schema) -> list[Range]:
    try:
        return joined((int(start), int(end)) for start, end in orjson.loads((schema.metadata or {}).get(_WHOLE, b"[]")))
    except (ValueError, TypeError):
        return []


def years(stretches: Iterable[Range]) -> Iterator[tuple[int, Range]]:
    """Yield each UTC year that some stretches touch, with the part of each that lies in it."""
    for start, end in stretches:
        for year in range(moment(start).year, moment(end - 1).year + 1):
            low, high = (Window.of_day(date(at, 1, 1)).start_us for at in (year, year + 1))
            yield year, (max(start, low), min(end, high))


def _grid(day: date) -> Opens:
    window = Window.of_day(day)
    return opens(GRID, window.start_us, window.end_us)


def _read(path: Path, schema: Schema) -> pa.Table:
    if not path.exists():
        return schema.empty()
    with files.parquet(path, _ANEW) as handle:
        return schema.conform(handle.read().replace_schema_metadata(None))
