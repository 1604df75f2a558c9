"""The exchange's klines as they lie in the lake: one file a symbol, interval and day; what is there, what is missing.

A day's file is rewritten as a whole. Where all its rows came out of one zip of the archive, the file says which
(`Held.source`), so that a later revision of the zip can be noticed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lake import files
from lake.errors import LakeError
from lake.intervals import Interval, Opens, by_day, closed, opens
from lake.layout import Layout
from lake.schemas import KLINES, UTC_US
from lake.windows import Window, iso, moment

FIELDS = 12
_INTEGERS = (0, 6, 8)
_MS_US = 1000


@dataclass(frozen=True)
class Zip:
    """A zip of the archive: its file name and SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Held:
    """What the lake has of a day: the open times still ``lacking``, and the zip that all of its candles came out of."""

    lacking: Opens
    source: Zip | None


def from_rows(symbol: str, rows: Sequence[Any]) -> pa.Table:
    """Make a table of `lake.schemas.KLINES` from the rows of REST's answer.

    Args:
        symbol: The pair.
        rows: openTime, open, high, low, close, volume, closeTime, quoteVolume, trades, takerBuyBase, takerBuyQuote and
            a field without meaning; times in milliseconds, prices and volumes as decimal text. Source: rest-api.md,
            "Kline/Candlestick data".

    Raises:
        LakeError: a field is not what it should be.
    """
    if odd := [row for row in rows if not isinstance(row, list) or len(row) != FIELDS]:
        raise LakeError(f"klines of {symbol}: a row is {str(odd[0])[:80]!r}, expected a list of {FIELDS} fields")
    try:
        columns = list(zip(*rows, strict=True)) or [()] * FIELDS
        kinds = (pa.int64() if at in _INTEGERS else pa.string() for at in range(FIELDS))
        arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        return assemble(symbol, [a.cast(pa.float64()) if pa.types.is_string(a.type) else a for a in arrays], 1000)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise LakeError(f"klines of {symbol}: a field is not as documented ({str(error)[:120]})") from error


def assemble(symbol: str, columns: Sequence[pa.Array], unit_us: int) -> pa.Table:
    """Make a table of `lake.schemas.KLINES` from the exchange's twelve columns, in its order, as integers and doubles.

    Args:
        symbol: The pair.
        columns: As in `from_rows`; the archive's files have the same.
        unit_us: Microseconds in a unit of the two times: 1000, or 1.

    Raises:
        LakeError: a column is missing, a value no finite number, or a candle closes before it opens.
    """
    if len(columns) != FIELDS:
        raise LakeError(f"klines of {symbol}: {len(columns)} fields in a row, expected {FIELDS}")
    open_time, *prices, volume, close_time, quote, trades, taker_base, taker_quote, _ = columns
    if not all(pc.all(pc.is_finite(c), min_count=0).as_py() for c in (*prices, volume, quote, taker_base, taker_quote)):
        raise LakeError(f"klines of {symbol}: a price or volume is not finite")
    # The archive's last microsecond (…999999) and REST's last millisecond are the end of the same candle.
    try:
        starts = pc.multiply_checked(open_time, unit_us)
        ends = pc.multiply(pc.divide(pc.multiply_checked(close_time, unit_us), _MS_US), _MS_US)
    except pa.ArrowException as error:
        raise LakeError(f"klines of {symbol}: a time is out of range") from error
    if pc.any(pc.less_equal(ends, starts)).as_py():
        raise LakeError(f"klines of {symbol}: a candle closes before it opens")
    values = [
        pa.array([symbol] * len(trades), pa.string()), starts.cast(UTC_US), *prices, volume,
        ends.cast(UTC_US), quote, trades, taker_base, taker_quote,
    ]  # fmt: skip
    return KLINES.conform(pa.table(values, names=KLINES.names))


def open_times(table: pa.Table) -> Opens:
    """Return a table's open times in microseconds."""
    found: Opens = table["open_time"].cast(pa.int64()).to_numpy()
    return found


def day_opens(interval: Interval, day: date) -> Opens:
    """Return the open times of all candles that open on a UTC day, in microseconds."""
    window = Window.of_day(day)
    return opens(interval, window.start_us, window.end_us)


def survey(
    layout: Layout, symbol: str, interval: Interval, window: Window, now_us: int
) -> dict[date, Held]:  # fmt: skip
    """Return what the lake has of each day on which a candle of the window opens that is closed at ``now_us``."""
    days = by_day(closed(interval, window, now_us))
    return {day: _held(layout, symbol, interval, day, of_day) for day, of_day in days}


def _held(layout: Layout, symbol: str, interval: Interval, day: date, wanted: Opens) -> Held:
    """A whole day is told by the number of rows in the file's footer: 3,420 days take a second."""
    path = layout.kline_file(symbol, day, interval)
    if not path.exists():
        return Held(wanted, None)
    with _reading(path), pq.ParquetFile(path) as handle:
        noted = handle.schema_arrow.metadata or {}
        source = Zip(noted[b"zip"].decode(), noted[b"sha256"].decode()) if b"zip" in noted else None
        if handle.metadata.num_rows == len(day_opens(interval, day)):
            return Held(wanted[:0], source)
        there = open_times(handle.read(columns=["open_time"]))
    return Held(wanted[~np.isin(wanted, there)], source)


def read(layout: Layout, symbol: str, interval: Interval, day: date) -> pa.Table:
    """Return the candles of a day that are in the lake, as `lake.schemas.KLINES`, sorted.

    Raises:
        LakeError: the file cannot be read.
    """
    path = layout.kline_file(symbol, day, interval)
    if not path.exists():
        return KLINES.empty()
    with _reading(path), pq.ParquetFile(path) as handle:
        return KLINES.conform(handle.read())


def put(
    layout: Layout, symbol: str, interval: Interval, day: date, new: pa.Table, compression: str, source: Zip | None
) -> int:  # fmt: skip
    """Add candles to a day's file; those that are there already are left as they are. Returns how many were added.

    Args:
        layout: Where the lake is.
        symbol: The pair.
        interval: Length of a candle.
        day: The day on which all of ``new`` open.
        new: Candles, as `lake.schemas.KLINES`, in any order.
        compression: Parquet's codec.
        source: The zip, where all of the day's candles come out of it.

    Raises:
        LakeError: a candle is off the interval's grid or of another day, or is there twice.
    """
    path, there = layout.kline_file(symbol, day, interval), read(layout, symbol, interval, day)
    _check(path, interval, day, open_times(new))
    fresh = new.filter(pa.array(~np.isin(open_times(new), open_times(there))))
    if not len(fresh):
        return 0
    write(layout, symbol, interval, day, pa.concat_tables([there, fresh]), compression, None if len(there) else source)
    return len(fresh)


def write(
    layout: Layout, symbol: str, interval: Interval, day: date, table: pa.Table, compression: str, source: Zip | None
) -> None:  # fmt: skip
    """Write a day's candles in place of what was there."""
    noted = {"zip": source.name, "sha256": source.sha256} if source else None
    table = table.sort_by("open_time").combine_chunks().replace_schema_metadata(noted)
    path = layout.kline_file(symbol, day, interval)
    files.sweep(path.parent, path.name)
    files.write_parquet(path, table, compression)


def revise(
    layout: Layout, symbol: str, interval: Interval, day: date, new: pa.Table, compression: str, source: Zip
) -> int:  # fmt: skip
    """Take a day's candles from a revised zip; return how many are other than before."""
    there = read(layout, symbol, interval, day)
    _check(layout.kline_file(symbol, day, interval), interval, day, open_times(new))
    before = set(zip(*there.to_pydict().values(), strict=True))
    changed = sum(row not in before for row in zip(*new.to_pydict().values(), strict=True))
    others = there.filter(pa.array(~np.isin(open_times(there), open_times(new))))
    write(layout, symbol, interval, day, pa.concat_tables([others, new]), compression, None if len(others) else source)
    return changed


def of_day(table: pa.Table, day: date) -> pa.Table:
    """Return the candles of a table that open on a UTC day."""
    window, times = Window.of_day(day), open_times(table)
    return table.filter(pa.array((times >= window.start_us) & (times < window.end_us)))


def _check(path: Path, interval: Interval, day: date, times: Opens) -> None:
    strange = times[~np.isin(times, day_opens(interval, day))]
    if len(strange):
        raise LakeError(
            f"{path}: a candle opens at {iso(moment(int(strange[0])))}, where none of {interval} on {day} does"
        )
    if len(np.unique(times)) != len(times):
        raise LakeError(f"{path}: the same candle came twice")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn Arrow's errors about a file into one line."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise LakeError(f"{path}: cannot be read ({error}): move it away, and backfill its day anew") from error
