"""The exchange's klines as they lie in the lake: one file a symbol, interval and day; what is there, what is missing.

A day's file is rewritten as a whole. Where all its rows came out of one zip of the archive, the file says which
(`Held.source`), so that a later revision of the zip can be noticed.
"""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from lake import damage, files
from lake.errors import LakeError
from lake.intervals import Interval, Opens, by_day, closed, opens
from lake.kline_rows import open_times
from lake.layout import Layout
from lake.schemas import KLINES
from lake.windows import Window, iso, moment

_ANEW = "backfill its day anew"


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


def day_opens(interval: Interval, day: date) -> Opens:
    """Return the open times of all candles that open on a UTC day, in microseconds."""
    window = Window.of_day(day)
    return opens(interval, window.start_us, window.end_us)


def survey(
    layout: Layout, symbol: str, interval: Interval, window: Window, now_us: int
) -> dict[date, Held]:  # fmt: skip
    """Return what the lake has of each day on which a candle of the window opens that is closed at ``now_us``.

    A damaged file is set aside, so that its day is lacking. Call it with the lock of the symbol's klines held.
    """
    days = by_day(closed(interval, window, now_us))
    return {
        day: damage.sound(layout, partial(_held, layout, symbol, interval, day, of_day), Held(of_day, None))
        for day, of_day in days
    }


def _held(layout: Layout, symbol: str, interval: Interval, day: date, wanted: Opens) -> Held:
    """A whole day is told by the number of rows in the file's footer: 3,420 days take a second."""
    path = layout.kline_file(symbol, day, interval)
    if not path.exists():
        return Held(wanted, None)
    with files.parquet(path, _ANEW) as handle:
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
    with files.parquet(path, _ANEW) as handle:
        return KLINES.conform(handle.read())


def _merged(layout: Layout, symbol: str, interval: Interval, day: date) -> pa.Table:
    """Return the candles that a rewrite of a day's file takes over."""
    return damage.sound(layout, lambda: read(layout, symbol, interval, day), KLINES.empty())


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
    path, there = layout.kline_file(symbol, day, interval), _merged(layout, symbol, interval, day)
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
    there = _merged(layout, symbol, interval, day)
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
