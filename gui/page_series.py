"""Derivatives, and the macro tickers, beside the coin."""

import pyarrow as pa
import streamlit as st

from gui import charts, parts, queries, state, theme
from gui.open import Lake
from gui.state import View
from lake.windows import Window


def derivatives(lake: Lake, view: View) -> None:
    """Draw funding and open interest of a symbol's perpetual."""
    window = lake.window(view, whole=True)
    table = queries.derivatives(lake.con, lake.layout, view.symbol, window)
    if not table.num_rows:
        st.info(
            f"No funding or open interest of {view.symbol} in this range: it is by the hour, so choose a day or more. "
            "`crypto-lake derivatives-hour` fetches it."
        )
        return
    hours, window = state.hours(window), _begun(view, window, table)
    _series(table, "funding_rate", "Funding rate in force", hours, window, signed=True)
    _series(table, "open_interest", "Open interest, in the base currency", hours, window)
    _series(table, "mark_price", "Mark price at the last funding", hours, window, colour=theme.SECOND)
    _foot(table, f"hours of {view.symbol}", f"{view.symbol}_derivatives", window)


def macro(lake: Lake, view: View) -> None:
    """Draw the coin, the synthetic dollar index, and a macro ticker, on the same stretch of time."""
    window = lake.window(view, whole=True)
    tf = state.coarse("1m", window)
    coin = queries.bars(lake.con, lake.layout, view.symbol, window, tf)
    index = queries.dxy(lake.con, lake.layout, window)
    if not lake.layout.tickers():
        st.info("The lake has no macro minutes: `crypto-lake macro-minute` fetches them.")
    minutes = state.minutes(window)
    other = queries.macro(lake.con, lake.layout, view.ticker, window) if view.ticker else None
    window = _begun(view, window, coin, index, *([other] if other is not None else []))
    _series(coin, "close", f"{view.symbol}, close", state.SECONDS[tf], window)
    _series(index, "close", "Synthetic DXY, of its six rates", minutes, window, colour=theme.SECOND)
    if other is not None:
        _series(other, "close", f"{view.ticker}, close", minutes, window, colour=theme.FLAT)
        _foot(other, f"minutes of {view.ticker}", f"{view.ticker}_macro", window)


def _begun(view: View, window: Window, *tables: pa.Table) -> Window:
    """A quick range does not begin before there was anything of what is drawn; what is typed is as typed."""
    firsts = [table["window_start"][0].as_py() for table in tables if table.num_rows]
    return window if view.start else state.begun(window, firsts)


def _series(table: pa.Table, column: str, title: str, seconds: int, span: Window, *, signed: bool = False,
            colour: str = theme.LINE) -> None:  # fmt: skip
    st.subheader(theme.plain(title), anchor=False)
    if table[column].null_count == table.num_rows:
        st.caption("Nothing in this range. Markets rest at night and at the weekend: a longer one reaches back.")
    elif signed:
        parts.chart(charts.signed(table, column, title, seconds, span), alt=title, key=title)
    else:
        step = column == "mark_price"
        parts.chart(charts.line(table, column, title, colour, seconds, span, step=step), alt=title, key=title)


def _foot(table: pa.Table, what: str, name: str, window: Window) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        parts.said(table.num_rows, what, window)
        parts.download(table, name, window)
