"""The items that the scrub verifies (`lake.scrub`), as they are there now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from filelock import FileLock

from lake import locks, outputs, raw
from lake.intervals import INTERVALS
from lake.layout import Layout

Kind = Literal["bars", "raw", "file", "slice"]


@dataclass(frozen=True)
class Item:
    """Something to verify: a day's bars or raw parts, a file, or a slice. ``name`` of a file is its path below base."""

    kind: Kind
    name: str
    symbol: str = ""
    day: date = date.min
    lock: FileLock | None = None


def items(layout: Layout) -> Iterator[Item]:
    """Return every item of a lake."""
    for symbol in layout.bar_symbols():
        for day in {*layout.hour_days(symbol), *layout.compacted_days(symbol)}:
            yield Item("bars", f"bars {symbol} {day}", symbol, day)
    for symbol in layout.raw_symbols():
        for day in raw.days(layout, symbol):
            yield Item("raw", f"raw {symbol} {day}", symbol, day)
    for path, lock in _files(layout):
        yield Item("file", path.relative_to(layout.base).as_posix(), lock=lock)
    for receipt in sorted((layout.base / "slices").rglob(f"*{outputs.RECEIPT}")):
        path = receipt.with_name(receipt.name.removesuffix(outputs.RECEIPT))
        yield Item("slice", path.relative_to(layout.base).as_posix())


def _files(layout: Layout) -> Iterator[tuple[Path, FileLock]]:
    for symbol in layout.kline_symbols():
        for interval in INTERVALS:
            lock = locks.klines(layout, symbol, interval)
            for day in layout.kline_days(symbol, interval):
                yield layout.kline_file(symbol, day, interval), lock
    for symbol in layout.derivative_symbols():
        lock = locks.derivatives(layout, symbol)
        yield from ((layout.funding_file(symbol, year), lock) for year in layout.funding_years(symbol))
        yield from ((layout.open_interest_file(symbol, day), lock) for day in layout.open_interest_days(symbol))
    for ticker in layout.tickers():
        lock = locks.macro(layout, ticker)
        yield from ((layout.macro_file(ticker, day), lock) for day in layout.macro_days(ticker))
    for symbol in layout.bar_symbols():
        if (path := layout.gaps(symbol)).exists():
            yield path, locks.bars(layout, symbol)
    if layout.parity.exists():
        yield layout.parity, locks.validation(layout)
