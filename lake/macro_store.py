"""Macro minute bars on disk: one file a ticker and UTC day, minutes merged into it by their start.

All functions but `read` are for whoever holds the ticker's lock: a damaged file is set aside, and its minutes are asked
for again as far back as Yahoo has them. Of two answers about a minute the later one wins: Yahoo corrects its bars for
some minutes after they have ended.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path

import pyarrow as pa

from lake import damage, files
from lake.layout import Layout
from lake.schemas import MACRO, UTC_US
from lake.windows import DAY_US, Window, moment

Bar = tuple[float, float, float, float, float | None]
"""Open, high, low, close, volume; the volume is None where Yahoo gave none."""


def store(layout: Layout, ticker: str, bars: Mapping[int, Bar], compression: str) -> tuple[int, int]:
    """Merge minutes (start in µs) into the day files of a ticker and return how many were new, and how many revised.

    Raises:
        LakeError: a day file cannot be read. No day from then on is written.
    """
    new = revised = 0
    for day_us, stamps in groupby(sorted(bars), key=lambda ts: ts - ts % DAY_US):
        path = layout.macro_file(ticker, moment(day_us).date())
        before = _bars(damage.sound(layout, partial(read, path), MACRO.empty())) if path.exists() else {}
        changed = {ts: bars[ts] for ts in stamps if before.get(ts) != bars[ts]}
        if changed:
            files.write_parquet(path, _table(ticker, before | changed), compression)
        revised += len(changed.keys() & before.keys())
        new += len(changed.keys() - before.keys())
    return new, revised


def read(path: Path) -> pa.Table:
    """Return the minutes of one file.

    Raises:
        LakeError: it cannot be read, or its columns are not those of `lake.schemas.MACRO`.
    """
    with files.parquet(path, "run macro-minute with lookback_days that reach back to its day") as handle:
        return MACRO.conform(handle.read())


def newest(layout: Layout, ticker: str) -> datetime | None:
    """Return the start of the newest minute that is held of a ticker, or None where there is none."""
    for day in reversed(layout.macro_days(ticker)):
        path = layout.macro_file(ticker, day)
        table = damage.sound(layout, partial(read, path), MACRO.empty())
        if table.num_rows or path.exists():
            return moment(table["ts"].cast(pa.int64())[-1].as_py()) if table.num_rows else None
    return None


def held(layout: Layout, ticker: str, window: Window) -> set[int]:
    """Return the start, in µs, of every minute that is held of the UTC days that a window touches."""
    paths = (layout.macro_file(ticker, day) for day in window.days())
    tables = (damage.sound(layout, partial(read, path), MACRO.empty()) for path in paths if path.exists())
    return {ts for table in tables for ts in _bars(table)}


def sweep(layout: Layout, ticker: str) -> None:
    """Take away what a killed writer left of a ticker. Call it with the ticker's lock held."""
    for folder in (layout.macro / ticker).glob("year=*/month=*/day=*"):
        files.sweep(folder)


def _bars(table: pa.Table) -> dict[int, Bar]:
    columns = (table[name].to_pylist() for name in ("open", "high", "low", "close", "volume"))
    return dict(zip(table["ts"].cast(pa.int64()).to_pylist(), zip(*columns, strict=True), strict=True))


def _table(ticker: str, bars: dict[int, Bar]) -> pa.Table:
    stamps = sorted(bars)
    prices = [pa.array([bars[ts][column] for ts in stamps], pa.float64()) for column in range(5)]
    columns = [pa.array([ticker] * len(stamps), pa.string()), pa.array(stamps, UTC_US), *prices]
    return MACRO.conform(pa.table(columns, names=MACRO.names))
