"""Asking the lake: one cursor a thread, again where a file has just gone, and how far a symbol's bars reach."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pyarrow as pa

from lake import duck, sandbox, selections
from lake.layout import Layout
from lake.selections import Selection


def ask(con: sandbox.Connection, select: Callable[[], Selection]) -> pa.Table:
    """Return the rows of what ``select()`` lists, as `lake.selections.ask` does, on a cursor of this thread's own.

    Raises:
        duckdb.Error: it fails again and again, or a file cannot be read.
    """
    with con.cursor() as own:
        return selections.ask(own, select)


def own(name: str, **values: Any) -> Callable[[], Selection]:
    """Return a selection of ``sql/gui/NAME.sql`` with its parameters."""
    return lambda: Selection(duck.sql(f"gui/{name}"), values)


def of(name: str, select: Callable[[], Selection], seconds: int) -> Callable[[], Selection]:
    """Return what ``select()`` lists, asked by ``sql/gui/NAME.sql`` in buckets of so many seconds."""
    return lambda: Selection(duck.sql(f"gui/{name}"), select().params | {"seconds": seconds})


def extent(con: sandbox.Connection, layout: Layout, symbol: str) -> tuple[datetime, datetime] | None:
    """Return the first and the last second of a symbol that are held, or None where none is."""

    def ends() -> Selection:
        known = sorted({*layout.hour_days(symbol), *layout.compacted_days(symbol)})
        both = dict.fromkeys([*known[:1], *known[-1:]])
        days = [path for day in both if (path := layout.day_file(symbol, day)).exists()]
        paths = [*days, *(path for day in both for path in layout.hour_files(symbol, day).values())]
        return own("extent", files=[duck.pattern(path) for path in paths])()

    if not (layout.hour_days(symbol) or layout.compacted_days(symbol)):
        return None
    (found,) = ask(con, ends).to_pylist()
    return (found["first"], found["last"]) if found["first"] else None
