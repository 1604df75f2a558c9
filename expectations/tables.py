"""What can be validated, as data: each table's schema, its time column, its steps, and where a day of it lies.

Checks know one shape: ``symbol`` and ``window_start``, whatever a table calls them (``ticker``, ``ts``, ``open_time``).
A source that is asked for is one table or more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from lake import names, schemas
from lake.errors import BadInputError
from lake.intervals import Interval
from lake.layout import Layout
from lake.read import day_tables
from lake.schemas import Schema
from lake.windows import HOUR_US, MINUTE_US, SECOND_US

STEP_US: dict[Interval, int] = {"1s": SECOND_US, "1m": MINUTE_US, "5m": 5 * MINUTE_US, "1h": HOUR_US}
Load = Callable[[Path], pa.Table]
Files = Callable[[Layout, str, date, str, Load], list[pa.Table]]


@dataclass(frozen=True)
class Table:
    """One table of the lake, as validation sees it.

    Attributes:
        name: of it, in the names of suites too.
        schema: its columns.
        time: the column that checks know as window_start.
        who: the column that checks know as symbol.
        tfs: the lengths of its windows that can be asked for, the default first.
        files: reads the files of one UTC day.
        anew: how a file is made anew that cannot be read.
        flat: the column that is 0 in a row without trades.
        slack_us: how far after a point of the grid a row may lie and still be on it.
        yearly: its files are of years, not of days.
    """

    name: str
    schema: Schema
    time: str
    who: str
    tfs: tuple[Interval, ...]
    files: Files
    anew: str
    flat: str | None = None
    slack_us: int = 0
    yearly: bool = False

    @cached_property
    def arrow(self) -> pa.Schema:
        """The columns as checks know them, in order, nulls allowed anywhere."""
        known = {self.time: "window_start", self.who: "symbol"}
        return pa.schema([pa.field(known.get(column.name, column.name), column.type) for column in self.schema.columns])


def _bars(layout: Layout, symbol: str, day: date, _: str, load: Load) -> list[pa.Table]:
    return day_tables(layout, symbol, day, load)


def _one(place: Callable[[Layout, str, date, str], Path]) -> Files:
    def read(layout: Layout, symbol: str, day: date, tf: str, load: Load) -> list[pa.Table]:
        path = place(layout, symbol, day, tf)
        return [load(path)] if path.exists() else []

    return read


_BARS = Table(
    "bars", schemas.BARS, "window_start", "symbol", ("1s", "1m"), _bars, "transform its hours", flat="trade_count"
)
_KLINES = Table(
    "klines", schemas.KLINES, "open_time", "symbol", ("1m", "1s"),
    _one(lambda layout, symbol, day, tf: layout.kline_file(symbol, day, tf)), "backfill its day", flat="trades",
)  # fmt: skip
_MACRO = Table(
    "macro", schemas.MACRO, "ts", "ticker", ("1m",),
    _one(lambda layout, ticker, day, _: layout.macro_file(ticker, day)), "run macro-minute with lookback_days",
)  # fmt: skip
_FUNDING = Table(
    "funding", schemas.FUNDING, "funding_time", "symbol", ("1h",),
    _one(lambda layout, symbol, day, _: layout.funding_file(symbol, day.year)), "run derivatives-hour for its year",
    slack_us=MINUTE_US, yearly=True,
)  # fmt: skip
_OPEN_INTEREST = Table(
    "open_interest", schemas.OPEN_INTEREST, "ts", "symbol", ("5m",),
    _one(lambda layout, symbol, day, _: layout.open_interest_file(symbol, day)), "run derivatives-hour for its day",
)  # fmt: skip

TABLES = {table.name: table for table in (_BARS, _KLINES, _MACRO, _FUNDING, _OPEN_INTEREST)}
SOURCES: dict[str, tuple[Table, ...]] = {
    "bars": (_BARS,),
    "klines": (_KLINES,),
    "macro": (_MACRO,),
    "derivatives": (_FUNDING, _OPEN_INTEREST),
}


def of_source(source: str, tf: Interval | None) -> list[tuple[Table, Interval]]:
    """Return the tables of a source, each with the length of its windows.

    Raises:
        BadInputError: there is no such source, or it has no windows of that length.
    """
    if source not in SOURCES:
        raise BadInputError(f"source {source!r}: expected {', '.join(SOURCES)}")
    tables = SOURCES[source]
    has = sorted({one for table in tables for one in table.tfs}, key=STEP_US.__getitem__)
    if tf is not None and tf not in has:
        raise BadInputError(f"tf {tf!r}: {source} have {' or '.join(has)}")
    return [(table, tf or table.tfs[0]) for table in tables if tf is None or tf in table.tfs]


def checked_names(source: str, given: list[str]) -> tuple[str, ...]:
    """Return the pairs, of macro the tickers, in the order given, each once.

    Raises:
        BadInputError: a name is none, or there is no name at all.
    """
    return tuple(names.tickers(given) if source == "macro" else names.symbols(given))
