"""The lake in Python: bars, klines, macro, funding and coverage, as pandas, Arrow or a DuckDB relation.

    import lake
    lake.bars("SOLUSDT", "2025-10-21", "2025-10-22", tf="5m")

All take one name or several, and a half-open range ``start <= window_start < end`` in UTC: ISO 8601 text (a day alone
is its midnight; a time without a zone is UTC) or a date, datetime or pandas Timestamp. Rows come by name, in the order
given, then by window_start; columns are those of the view of the same data (docs/dictionary.md has their units).
``form`` is what comes back: ``pandas`` (times are ``datetime64[us, UTC]``), ``arrow`` (timestamp[us, tz=UTC]) or
``duckdb`` (a relation, which reads the files whenever it is asked; where compaction has taken one of them away
meanwhile it fails: make it anew). ``base`` is the lake's folder, where it is not that of the config.yml in force.

Of a name that the lake has nothing of, an error says so; of a range in which nothing is, an empty table comes.
Each reads just the files that its names and range need, over a connection of its own that reads nothing but the lake.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, get_args

import duckdb

from lake import duck, names, selections, settings, views
from lake.errors import BadInputError, LakeError
from lake.intervals import INTERVALS, Interval
from lake.layout import Layout
from lake.selections import Selection
from lake.timeframes import Timeframe
from lake.windows import Window, iso, parse_time

Names = str | Iterable[str]
Time = str | date
"""A datetime and a pandas Timestamp are dates too."""
Form = Literal["pandas", "arrow", "duckdb"]
Base = str | Path | None


def bars(
    symbols: Names, start: Time, end: Time, *, tf: Timeframe = "1m", form: Form = "pandas", base: Base = None
) -> Any:
    """Return the bars that begin in a range, each whole: 1s as stored; 1m, 5m, 15m, 1h and 1d rolled up from 1s.

    Columns: exchange, symbol, window_start, open, high, low, close, volume_base, volume_quote, trade_count, vwap, bid,
    ask, spread, taker_buy_base, taker_buy_quote, first_trade_id, last_trade_id, complete. Only where ``complete`` is
    true no trade of the bar is missing; a bar of which no second is held is not there: `coverage` tells.

    Raises:
        BadInputError: a symbol, time, timeframe or form is none.
        LakeError: the lake has no bars of a symbol, or a file cannot be read.
    """
    asked = _symbols(symbols, "bars", lambda lake: lake.bar_symbols(), base)
    return _answer(asked, partial(selections.bars, tf=tf), start, end, form)


def coverage(symbols: Names, start: Time, end: Time, *, form: Form = "pandas", base: Base = None) -> Any:
    """Return what is held of each hour of a range, up to the present, whether it has bars or not.

    Columns: exchange, symbol, window_start (the hour), seconds_expected (those of the hour in the range) =
    seconds_held (with trades) + seconds_flat (nothing traded, as trade ids prove) + seconds_missing; seconds_complete
    (proved complete); trades_missing (trade ids that no bar has and that are not settled as never
    existed, in the hour of the bar after the hole).

    Raises: as `bars`; BadInputError, too, where the range is yet to come.
    """
    asked, now = (
        _symbols(symbols, "bars", lambda lake: lake.bar_symbols(), base),
        datetime.now(UTC).replace(microsecond=0),
    )

    def past(layout: Layout, symbols: list[str], window: Window) -> Selection:
        if window.start >= now:
            raise BadInputError(f"start {iso(window.start)} is yet to come: nothing of it can be held, or missing")
        return selections.coverage(layout, symbols, Window(window.start, min(window.end, now)))

    return _answer(asked, past, start, end, form)


def klines(
    symbols: Names, start: Time, end: Time, *, tf: Interval = "1m", form: Form = "pandas", base: Base = None
) -> Any:
    """Return the exchange's own klines of an interval, as far as they were backfilled.

    Columns: exchange, symbol, window_start (the open time), open, high, low, close, volume, close_time, quote_volume,
    trades, taker_base_vol, taker_quote_vol, exchange_open_time (of a candle that opens off the grid; else null).

    Raises: as `bars`.
    """
    if tf not in INTERVALS:
        raise BadInputError(f"tf {str(tf)[:20]!r}: expected one of {', '.join(INTERVALS)}")
    asked = _symbols(symbols, "klines", lambda lake: lake.kline_symbols(), base)
    return _answer(asked, partial(selections.klines, interval=tf), start, end, form)


def macro(tickers: Names, start: Time, end: Time, *, form: Form = "pandas", base: Base = None) -> Any:
    """Return Yahoo's minute bars of some tickers. Columns: ticker, window_start, open, high, low, close, volume.

    Raises: as `bars`.
    """
    asked = _known(names.tickers(_listed(tickers)), "macro minutes", lambda lake: lake.tickers(), settings.layout(base))
    return _answer(asked, selections.macro, start, end, form)


def funding(symbols: Names, start: Time, end: Time, *, form: Form = "pandas", base: Base = None) -> Any:
    """Return funding and open interest of USD-M perpetuals by the hour.

    Columns: symbol, window_start (the hour), funding_rate and mark_price (of the last funding paid before the hour's
    end), open_interest and open_interest_value (the hour's last). Null where there is none.

    Raises: as `bars`.
    """
    asked = _symbols(symbols, "derivatives", lambda lake: lake.derivative_symbols(), base)
    return _answer(asked, selections.funding, start, end, form)


def _symbols(given: Names, what: str, held: Callable[[Layout], list[str]], base: Base) -> tuple[Layout, list[str]]:
    return _known(names.symbols(_listed(given)), what, held, settings.layout(base))


def _known(
    asked: list[str], what: str, held: Callable[[Layout], list[str]], layout: Layout
) -> tuple[Layout, list[str]]:
    there = held(layout)
    for name in asked:
        if name not in there:
            near = get_close_matches(name, there, n=3)
            hint = f"is {' or '.join(near)} meant?" if near else f"there are {', '.join(there[:20]) or 'none at all'}"
            raise LakeError(f"{name}: the lake {layout.base} has no {what} of it: {hint}")
    return layout, asked


def _answer(
    asked: tuple[Layout, list[str]], select: Callable[[Layout, list[str], Window], Selection], start: Time, end: Time,
    form: Form,
) -> Any:  # fmt: skip
    if form not in get_args(Form):
        raise BadInputError(f"form {str(form)[:20]!r}: expected one of {', '.join(get_args(Form))}")
    window = Window(_time(start, "start"), _time(end, "end"))
    layout, symbols = asked
    con = _connection(layout).cursor()
    try:
        if form == "duckdb":
            return _relation(layout, select(layout, symbols, window))
        table = selections.ask(con, lambda: select(layout, symbols, window))
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        raise LakeError(f"{duck.reason(error)}: move the file away, and make it anew") from error
    return table if form == "arrow" else table.to_pandas()


def _listed(given: Names) -> list[str]:
    if isinstance(given, str):
        return [given]
    if not isinstance(given, Iterable):
        raise BadInputError(f"{str(given)[:20]}: expected a name, or a list of names")
    return list(given)


def _time(given: Time, name: str) -> datetime:
    if isinstance(given, date) and not isinstance(given, datetime):
        given = datetime(given.year, given.month, given.day, tzinfo=UTC)
    return parse_time(given, name)


def _relation(layout: Layout, asked: Selection) -> duckdb.DuckDBPyRelation:
    """A relation can be asked for more, in SQL too: so it is one of a connection that cannot write."""
    from lake import readonly  # fsspec: 70 ms that the other forms do not need

    params = readonly.named(layout.base.resolve(), asked.params)
    return Selection(asked.sql, params).on(_readonly(layout).cursor())


_connection = lru_cache(maxsize=8)(views.locked)
_readonly = lru_cache(maxsize=8)(views.readonly)
