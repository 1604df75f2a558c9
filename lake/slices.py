"""What a slice is: a source, some symbols, a range and a length of bar, checked; its rows, and the files they are in.

| source | tf | rows |
|---|---|---|
| `bars` | 1s (as stored) to 1d (rolled up) | the lake's own bars: the views `bars_…` without `exchange` |
| `klines` | the exchange's interval of that name; 1m | the exchange's candles: `klines_1m` without the date |
| `macro` | 1m | Yahoo's minutes of tickers: `macro_minute` |
| `funding` | 1h | funding in force and open interest: `funding_oi_hourly` |

A slice has the rows whose window_start lies in the range, each of its whole window: the last window may end after the
range does. So the range need not lie on the grid of the timeframe, and ``--end 23:59:59`` gives the minute of 23:59.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal, get_args

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from lake import duck, read, selections
from lake.errors import BadInputError
from lake.intervals import starts_in
from lake.layout import Layout
from lake.names import symbols as checked_symbols
from lake.names import tickers as checked_tickers
from lake.schemas import BARS, FUNDING_HOURS, KLINE_ROWS, MACRO_ROWS, Schema
from lake.sections import Compression
from lake.selections import Selection
from lake.timeframes import Timeframe, seconds
from lake.windows import Window

Source = Literal["bars", "klines", "macro", "funding"]
Form = Literal["parquet", "csv"]

SCHEMAS: dict[Source, Schema] = {
    "bars": BARS,
    "klines": KLINE_ROWS,
    "macro": MACRO_ROWS,
    "funding": FUNDING_HOURS,
}
_OWN_TF: dict[Source, Timeframe] = {"bars": "1s", "klines": "1m", "macro": "1m", "funding": "1h"}
_ONLY = ("macro", "funding")
"""Sources that have no other timeframe."""
_ROLLING = ["gaps_in", "starts_in", "rolled_up"]
_MACROS = {
    "bars": ["bars_in", *_ROLLING],
    "klines": ["klines_in"],
    "macro": ["macro_in"],
    "funding": ["funding_oi_in"],
}


@dataclass(frozen=True)
class Chunk:
    """What is read at once and becomes one row group: a symbol's day of seconds, or month of anything longer."""

    symbol: str
    window: Window

    def __str__(self) -> str:
        return f"{self.symbol} {self.window.start:%Y-%m-%d}"


@dataclass(frozen=True)
class Slice:
    """What is asked for; made by `asked`, which checks it.

    Attributes:
        source: Which data.
        symbols: In the order in which they are written.
        window: The range in which the rows begin.
        tf: Length of a row's window.
        form: The file's format.
        compression: Parquet's codec; None for CSV.
    """

    source: Source
    symbols: tuple[str, ...]
    window: Window
    tf: Timeframe
    form: Form
    compression: Compression | None

    @property
    def schema(self) -> Schema:
        """The columns of the rows."""
        return SCHEMAS[self.source]

    @property
    def whole(self) -> Window:
        """The stretch that the rows' windows cover: from the first one's start to the last one's end."""
        return starts_in(self.window, self.tf) or self.window

    @property
    def sql(self) -> str:
        """The SQL that the rows are those of: the macros that it needs, and one statement with named parameters."""
        macros = [name for name in _MACROS[self.source] if name not in _ROLLING or self.tf != "1s"]
        name = "bars_1s" if (self.source, self.tf) == ("bars", "1s") else self.source
        parts = [f"macros/{macro}" for macro in ("own_files", *macros)] + [f"select/{name}"]
        return "\n".join(map(duck.sql, parts))

    def selection(self, layout: Layout, symbol: str, window: Window) -> Selection:
        """The rows of one symbol in a window, as a statement and its files."""
        if self.source == "klines":
            return selections.klines(layout, [symbol], window, self.tf)
        if self.source == "macro":
            return selections.macro(layout, [symbol], window)
        if self.source == "funding":
            return selections.funding(layout, [symbol], window)
        return selections.bars(layout, [symbol], window, self.tf)

    def chunks(self, layout: Layout, symbol: str) -> Iterator[Chunk]:
        """The parts of the window in which a symbol may have rows, in order; each within one UTC day or month."""
        by_day = seconds(self.tf) == 1
        starts = {day if by_day else day.replace(day=1) for day in self._days(layout, symbol)}
        for start in sorted(starts):
            whole = Window.of_day(start) if by_day else _month(start)
            if part := whole.clip(self.window):
                yield Chunk(symbol, part)

    def rows(self, layout: Layout, con: duckdb.DuckDBPyConnection, chunk: Chunk) -> pa.Table:
        """The rows of a chunk, conforming to the schema, by window_start. Its files have been verified (`lake.inputs`).

        Stored seconds are read without DuckDB: that takes half the time, and gives the same rows (a test says so).
        """
        if self.source == "bars" and self.tf == "1s":
            table = read.day(
                layout, chunk.symbol, chunk.window.start.date(), chunk.window, read.file_again
            )  # fmt: skip
            mine = pc.equal(table["symbol"], chunk.symbol)
            return (table if pc.all(mine).as_py() is not False else table.filter(mine)).combine_chunks()
        table = self.selection(layout, chunk.symbol, chunk.window).on(con).to_arrow_table()
        if self.source == "bars":
            table = table.drop_columns("exchange")
        return self.schema.conform(table).combine_chunks()

    def _days(self, layout: Layout, symbol: str) -> list[date]:
        """Days that may have rows, whichever they are; of a year with fundings each month's first."""
        if self.source == "bars":
            return [*layout.hour_days(symbol), *layout.compacted_days(symbol)]
        if self.source == "klines":
            return layout.kline_days(symbol, self.tf)
        if self.source == "macro":
            return layout.macro_days(symbol)
        months = [date(year, month, 1) for year in layout.funding_years(symbol) for month in range(1, 13)]
        return [*layout.open_interest_days(symbol), *months]


def asked(
    source: str,
    symbols: list[str],
    window: Window,
    tf: Timeframe | None = None,
    form: Form = "parquet",
    compression: Compression | None = None,
    codec: Compression = "snappy",
) -> Slice:
    """Return what is asked for, checked: ``symbols`` (of macro: tickers) in capitals, each once.

    Args:
        source: One of `SCHEMAS`.
        symbols: In the order in which they shall be in the file.
        window: The range in which the rows' windows begin; it may lie off their grid.
        tf: None is the source's own.
        form: The file's format.
        compression: Parquet's codec, when one is asked for.
        codec: That of a Parquet file for which none is asked for.

    Raises:
        BadInputError: a name is invalid, the source has no such ``tf``, no window begins in the range, or a codec is
            asked for a CSV.
    """
    known = next((name for name in SCHEMAS if name == source), None)
    if known is None:
        raise BadInputError(f"source {str(source)[:20]!r}: expected one of {', '.join(SCHEMAS)}")
    if form not in get_args(Form):
        raise BadInputError(f"format {str(form)[:20]!r}: expected one of {', '.join(get_args(Form))}")
    names = checked_tickers(symbols) if known == "macro" else checked_symbols(symbols)
    length = tf or _OWN_TF[known]
    seconds(length)
    if known in _ONLY and length != _OWN_TF[known]:
        raise BadInputError(f"tf {length}: {known} has {_OWN_TF[known]} alone: leave tf out, or name another source")
    if form == "csv" and compression is not None:
        raise BadInputError(f"compression {compression}: a CSV is not compressed: leave it out, or take format parquet")
    if compression not in (None, *get_args(Compression)):
        raise BadInputError(
            f"compression {str(compression)[:20]!r}: expected one of {', '.join(get_args(Compression))}"
        )
    if starts_in(window, length) is None:
        raise BadInputError(f"{window}: no window of {length} begins in it: give a longer range, or a shorter tf")
    return Slice(known, tuple(names), window, length, form, None if form == "csv" else compression or codec)


@cache
def _month(first: date) -> Window:
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Window(Window.of_day(first).start, Window.of_day(after).start)
