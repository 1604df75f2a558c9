"""Tasks around bars: transform and compaction."""

from datetime import date

from lake import compact, transform
from lake.compact import Compacted
from lake.layout import Layout
from lake.transform import Built
from lake.windows import Window
from tasks.runs import lake_task


@lake_task("find dirty hours")
def find_dirty(layout: Layout, symbols: list[str] | None, window: Window | None) -> list[str]:
    """Return the symbols that have hours to build."""
    return transform.pending(layout, symbols, window)


@lake_task("build {symbol}")
def build_bars(layout: Layout, symbol: str, window: Window | None, compression: str) -> Built:
    """Build the dirty hours of one symbol."""
    return transform.run(layout, symbol, window, compression)


@lake_task("find closed days")
def find_closed(layout: Layout, symbols: list[str] | None, day: date | None, today: date) -> list[tuple[str, date]]:
    """Return the symbol-days that are over and not compacted yet."""
    return compact.pending(layout, symbols, day, today)


@lake_task("compact {symbol} {day}")
def compact_bars(layout: Layout, symbol: str, day: date, compression: str) -> Compacted:
    """Make one file of a symbol's day."""
    return compact.run(layout, symbol, day, compression)
