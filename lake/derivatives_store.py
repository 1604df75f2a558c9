"""Fundings and open interest as they lie in the lake: a file a contract and year, and one a contract and day.

A year's file notes in its metadata the stretches of time of which it has all fundings: how often a contract pays (every
8, 4 or 1 hours) changes, so the rows alone do not show it. Write only while holding `lake.locks.derivatives`.

Of two rows of one time one is kept (`lake.derivatives_rows`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa

from lake import damage, derivatives_rows, files
from lake.errors import LakeError
from lake.futures import GRID, micros_of
from lake.intervals import Opens, opens
from lake.layout import Layout
from lake.ranges import Range, gaps, joined
from lake.schemas import FUNDING, OPEN_INTEREST, Schema
from lake.windows import DAY_US, Window, iso, moment

APART_US = DAY_US
"""The longest wait between two fundings that is believed without asking the archive. No contract pays so rarely."""
_PROVED = b"proved_us"
_WHOLE = b"whole_us"
"""How versions before noted stretches: an answer of REST was believed as a whole, however long it had no funding."""
_ANEW = "run derivatives-hour for it anew"


def holds(layout: Layout, symbol: str) -> bool:
    """Whether the lake has anything of a contract."""
    return any((layout.derivatives / kind / symbol).is_dir() for kind in ("funding", "open_interest"))


@dataclass(frozen=True)
class Put:
    """What adding rows has done.

    Attributes:
        added: Rows of times that had none.
        contradictions: Times of which two rows differ.
    """

    added: int = 0
    contradictions: int = 0


def whole(layout: Layout, symbol: str, year: int) -> list[Range]:
    """Return the stretches of a year, in microseconds, of which the lake has all fundings that were paid.

    In stretches noted by older versions, waits of more than `APART_US` are left out: REST has nothing of a contract
    whose ticker was used again, and the archive was not asked.
    """
    path = layout.funding_file(symbol, year)
    if not path.exists():
        return []
    with files.parquet(path, _ANEW) as handle:
        noted, old = (_noted(handle.schema_arrow, key) for key in (_PROVED, _WHOLE))
        times = sorted(handle.read(["funding_time"])["funding_time"].cast(pa.int64()).to_pylist()) if old else []
    return joined([*noted, *(part for one in old for part in gaps(*one, unproved(one, times)))])


def unproved(stretch: Range, times: Sequence[int]) -> list[Range]:
    """Return the parts of a stretch, longer than `APART_US`, that lie between two of some fundings, or an end.

    Args:
        stretch: Microseconds.
        times: When fundings were paid, in order.
    """
    inside = [at for at in times if stretch[0] <= at < stretch[1]]
    waits = zip([stretch[0], *(at + 1 for at in inside)], [*inside, stretch[1]], strict=True)
    return [(low, high) for low, high in waits if high - low > APART_US]


def fundings(layout: Layout, symbol: str, year: int) -> pa.Table:
    """Return the fundings of a year that are in the lake, as `lake.schemas.FUNDING`, sorted.

    Raises:
        LakeError: the file cannot be read.
    """
    return _read(layout.funding_file(symbol, year), FUNDING)


def put_fundings(layout: Layout, symbol: str, year: int, new: pa.Table, stretch: Range, compression: str) -> Put:
    """Add fundings to a year's file, and note that it now has all of a stretch.

    Args:
        layout: Where the lake is.
        symbol: The contract.
        year: The UTC year in which all of ``new`` were paid.
        new: Fundings, as `lake.schemas.FUNDING`, in any order.
        stretch: Microseconds; a range that ends before it starts is not noted.
        compression: Parquet's codec.

    Raises:
        LakeError: a funding is of another year, or the file cannot be read or written.
    """
    path = layout.funding_file(symbol, year)
    there = damage.sound(layout, lambda: fundings(layout, symbol, year), FUNDING.empty())
    if any(at.year != year for at in new["funding_time"].to_pylist()):
        raise LakeError(f"{path}: a funding of another year was to be put there")
    before = whole(layout, symbol, year)
    after, (table, contradictions) = joined([*before, stretch]), derivatives_rows.paid(pa.concat_tables([there, new]))
    if table.equals(there) and after == before:
        return Put(0, contradictions)
    noted = {_PROVED: orjson.dumps(after)}
    files.sweep(path.parent)
    files.write_parquet(path, table.replace_schema_metadata(noted), compression)
    return Put(len(table) - derivatives_rows.count_paid(there), contradictions)


def lacking(layout: Layout, symbol: str, day: date, wanted: Opens) -> Opens:
    """Return which of some moments of a day have no open interest. A whole day shows by its number of rows.

    A damaged file is set aside.
    """
    return damage.sound(layout, lambda: _lacking(layout, symbol, day, wanted), wanted)


def _lacking(layout: Layout, symbol: str, day: date, wanted: Opens) -> Opens:
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


def put_interests(
    layout: Layout, symbol: str, new: pa.Table, compression: str, wanted: Opens | None = None
) -> Put:  # fmt: skip
    """Add open interest to the files of its days.

    Args:
        layout: Where the lake is.
        symbol: The contract.
        new: Open interest, as `lake.schemas.OPEN_INTEREST`, in any order, of any days.
        compression: Parquet's codec.
        wanted: The moments to add; others are only compared with what is held. By default all.

    Raises:
        LakeError: a moment is off the 5-minute grid, or a file cannot be read or written.
    """
    days = micros_of(new, "ts") // DAY_US
    parts = [
        _put_day(layout, symbol, moment(int(number) * DAY_US).date(), new.filter(days == number), compression, wanted)
        for number in np.unique(days)
    ]
    return Put(sum(part.added for part in parts), sum(part.contradictions for part in parts))


def replace_interests(layout: Layout, symbol: str, day: date, table: pa.Table, compression: str) -> None:
    """Write a day's open interest in place of what is held of it.

    Raises:
        LakeError: the file cannot be written.
    """
    path = layout.open_interest_file(symbol, day)
    files.sweep(path.parent)
    files.write_parquet(path, OPEN_INTEREST.conform(table.sort_by("ts").combine_chunks()), compression)


def _put_day(
    layout: Layout, symbol: str, day: date, new: pa.Table, compression: str, wanted: Opens | None
) -> Put:  # fmt: skip
    there = damage.sound(layout, lambda: interests(layout, symbol, day), OPEN_INTEREST.empty())
    times = micros_of(new, "ts")
    strange = times[~np.isin(times, _grid(day))]
    if len(strange):
        path = layout.open_interest_file(symbol, day)
        raise LakeError(f"{path}: {iso(moment(int(strange[0])))} is off the {GRID} grid")
    known = micros_of(there, "ts")
    asked = np.ones(len(times), bool) if wanted is None else np.isin(times, wanted) | np.isin(times, known)
    table, contradictions = derivatives_rows.interests(pa.concat_tables([there, new.filter(asked)]))
    if not table.equals(there):
        replace_interests(layout, symbol, day, table, compression)
    return Put(len(table) - len(there), contradictions)


def _noted(schema: pa.Schema, key: bytes) -> list[Range]:
    try:
        return joined((int(start), int(end)) for start, end in orjson.loads((schema.metadata or {}).get(key, b"[]")))
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
