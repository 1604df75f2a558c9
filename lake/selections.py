"""What is asked of the lake by symbol and window: one statement, and the list of just the files that it needs.

A glob over a whole lake costs a hundred times what its one right file does. Compaction may take away a file that was
just listed; DuckDB then says so, and `ask` lists anew.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from lake import duck
from lake.errors import LakeError
from lake.intervals import Interval, starts_in
from lake.layout import Layout
from lake.read import gap_files
from lake.timeframes import Timeframe, seconds
from lake.windows import DAY, Window

if TYPE_CHECKING:
    from lake import sandbox

DXY = ("EURUSD=X", "USDJPY=X", "GBPUSD=X", "USDCAD=X", "USDSEK=X", "USDCHF=X")
"""The rates that the dollar index is made of (`sql/macros/dxy_of.sql`)."""
_TRIES = 5


@dataclass(frozen=True)
class Selection:
    """A statement (of `sql/select`) and the values of its parameters.

    It needs a connection that has the macros: `lake.views.connect` or `locked`.
    """

    sql: str
    params: dict[str, Any]

    @property
    def files(self) -> list[Path]:
        """The files that it reads."""
        lists = (value for name, value in self.params.items() if name.endswith("files"))
        return [duck.path(glob) for globs in lists for glob in globs]

    def on(self, con: "duckdb.DuckDBPyConnection | sandbox.Connection") -> duckdb.DuckDBPyRelation:
        """Return the statement's rows as a relation, which reads the files whenever it is asked."""
        return con.sql(self.sql, params=self.params)


def ask(con: "duckdb.DuckDBPyConnection | sandbox.Connection", select: Callable[[], Selection]) -> pa.Table:
    """Return the rows of what ``select()`` lists, listed anew where a file has gone meanwhile.

    Raises:
        duckdb.Error: it fails again and again, or a file cannot be read.
    """
    for attempt in range(_TRIES):
        try:
            return select().on(con).to_arrow_table()
        except (duckdb.Error, LakeError) as error:
            gone = isinstance(error, duckdb.IOException) or "\nFileNotFoundError: " in str(error.__cause__ or error)
            if not gone or attempt == _TRIES - 1:
                raise
    raise AssertionError


def bars(layout: Layout, symbols: Sequence[str], window: Window, tf: Timeframe) -> Selection:
    """Bars that begin in the window, each whole: the columns of the view `bars_1s`; by symbol as given, then time."""
    whole = starts_in(window, tf)
    if whole is None:
        whole, symbols = window, symbols[:0]
    files = _bar_files(layout, symbols, whole.start.date(), whole)
    if tf == "1s":
        return _selection("bars_1s", symbols, window, **files)
    return _selection("bars", symbols, window, **files, gap_files=gap_files(layout, *symbols), width=seconds(tf))


def coverage(layout: Layout, symbols: Sequence[str], window: Window, width: int = 3600) -> Selection:
    """What is held in stretches of ``width`` seconds, which divide a day: the columns of the view `coverage`."""
    files = _bar_files(layout, symbols, None, window)
    return _selection("coverage", symbols, window, **files, gap_files=gap_files(layout, *symbols), width=width)


def unproved(layout: Layout, symbol: str, window: Window) -> Selection:
    """Stretches of one symbol without a bar that is proved complete: ``first_us``, ``end_us`` (half-open), in order."""
    return _selection("unproved", [symbol], window, **_bar_files(layout, [symbol], window.start.date(), window))


def klines(layout: Layout, symbols: Sequence[str], window: Window, interval: Interval) -> Selection:
    """The exchange's klines: the columns of the view `klines_1m` but year, month and day."""
    paths = (layout.kline_file(symbol, day, interval) for symbol in symbols for day in window.days())
    return _selection("klines", symbols, window, files=_there(paths))


def macro(layout: Layout, tickers: Sequence[str], window: Window) -> Selection:
    """Macro minutes: the columns of the view `macro_minute`."""
    paths = (layout.macro_file(ticker, day) for ticker in tickers for day in window.days())
    return _selection("macro", tickers, window, files=_there(paths))


def dxy(layout: Layout, window: Window) -> Selection:
    """The synthetic dollar index: the columns of the view `dxy_synthetic_minute`."""
    since = Window(window.start - timedelta(minutes=5), window.end)
    return _selection("dxy", DXY, window, files=macro(layout, DXY, since).params["files"])


def funding(layout: Layout, symbols: Sequence[str], window: Window) -> Selection:
    """Hours of funding and open interest: the columns of the view `funding_oi_hourly`."""
    years = range((window.start - DAY).year, window.end.year + 1)
    fundings = (layout.funding_file(symbol, year) for symbol in symbols for year in years)
    interest = (layout.open_interest_file(symbol, day) for symbol in symbols for day in window.days())
    return _selection(
        "funding", symbols, window, funding_files=_there(fundings), interest_files=_there(interest)
    )  # fmt: skip


def _selection(name: str, symbols: Sequence[str], window: Window, **values: Any) -> Selection:
    known = {"symbols": list(symbols), "start": window.start, "end": window.end}
    return Selection(duck.sql(f"select/{name}"), known | values)


def _bar_files(layout: Layout, symbols: Sequence[str], first: date | None, window: Window) -> dict[str, list[str]]:
    """The files of the days from ``first`` on (None: the last day with bars before the window) to the window's end.

    Hour files are listed first: a day compacted in between is then there twice, and an hour file wins over its day.
    """
    hours: list[Path] = []
    days: list[Path] = []
    last = (window.end - timedelta.resolution).date()
    for symbol in symbols:
        known = sorted({*layout.hour_days(symbol), *layout.compacted_days(symbol)})
        since = first or max((day for day in known if day < window.start.date()), default=window.start.date())
        asked = [day for day in known if since <= day <= last]
        hours += [path for day in asked for path in layout.hour_files(symbol, day).values()]
        days += [path for day in asked if (path := layout.day_file(symbol, day)).exists()]
    return {"hour_files": [duck.pattern(path) for path in hours], "day_files": [duck.pattern(path) for path in days]}


def _there(paths: Iterator[Path]) -> list[str]:
    return [duck.pattern(path) for path in paths if path.exists()]
