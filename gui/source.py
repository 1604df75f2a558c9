"""Which files of the lake a question needs, and asking it: one cursor a thread, again where a file has just gone."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from lake import duck
from lake.layout import Layout
from lake.windows import Window, micros

_TRIES = 5


def ask(con: duckdb.DuckDBPyConnection, name: str, values: Callable[[], dict[str, Any]]) -> pa.Table:
    """Return what ``sql/gui/NAME.sql`` says, with the values that ``values()`` finds anew for each try.

    Compaction takes hour files away once their day is written: who listed them a moment earlier lists again.

    Raises:
        duckdb.Error: it fails again and again.
    """
    for attempt in range(_TRIES):
        try:
            return con.cursor().sql(duck.sql(f"gui/{name}"), params=values()).to_arrow_table()
        except duckdb.IOException:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError


def files(layout: Layout, symbol: str, window: Window) -> dict[str, Any]:
    """Return the 1-second files that hold a symbol's window, and the hours whose own file supersedes their day's."""
    paths: list[str] = []
    superseded: list[int] = []
    first, last = window.start.date(), window.end.date()
    for day in (day for day in days(layout, symbol) if first <= day <= last):
        hours = layout.hour_files(symbol, day)
        paths += [str(path) for path in (*_day_file(layout, symbol, day), *hours.values())]
        superseded += [micros(hour) for hour in hours]
    return {"files": paths, "superseded": superseded}


def days(layout: Layout, symbol: str) -> list[date]:
    """Return the days of a symbol that have any bars, in order."""
    return sorted({*layout.hour_days(symbol), *layout.compacted_days(symbol)})


def extent(con: duckdb.DuckDBPyConnection, layout: Layout, symbol: str) -> tuple[datetime, datetime] | None:
    """Return the first and the last second of a symbol that are held, or None where none is."""

    def ends() -> dict[str, Any]:
        known = days(layout, symbol)
        both = [path for day in dict.fromkeys([*known[:1], *known[-1:]]) for path in _of_day(layout, symbol, day)]
        return {"files": [str(path) for path in both]}

    if not days(layout, symbol):
        return None
    (found,) = ask(con, "extent", ends).to_pylist()
    return (found["first"], found["last"]) if found["first"] else None


def newest(layout: Layout, symbol: str) -> dict[str, Any]:
    """Return the files of a symbol's newest day."""
    return {"files": [str(path) for path in _of_day(layout, symbol, days(layout, symbol)[-1])]}


def _of_day(layout: Layout, symbol: str, day: date) -> list[Path]:
    return [*_day_file(layout, symbol, day), *layout.hour_files(symbol, day).values()]


def _day_file(layout: Layout, symbol: str, day: date) -> list[Path]:
    path = layout.day_file(symbol, day)
    return [path] if path.exists() else []
