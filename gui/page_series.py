"""Derivatives, and the macro tickers, beside the coin."""

import pyarrow as pa
import streamlit as st

from gui import charts, parts, queries, state, theme
from gui.open import Lake
from gui.state import View
from lake.windows import Window


def derivatives(lake: Lake, view: View) -> None:
    """Draw funding and open interest of a symbol's perpetual."""
    window = lake.window(view)
    table = queries.derivatives(lake.con, lake.layout, view.symbol, window)
    if not table.num_rows:
        st.info(
            f"No funding or open interest of {view.symbol} in this range: it is by the hour, so choose a day or more. "
            "`crypto-lake derivatives-hour` fetches it."
        )
        return
    hours = state.hours(window)
    _series(table, "funding_rate", "Funding rate in force", hours, window, signed=True)
    _series(table, "open_interest", "Open interest, in the base currency", hours, window)
    _series(table, "mark_price", "Mark price at the last funding", hours, window, colour=theme.SECOND)
    _foot(table, f"hours of {view.symbol}", f"{view.symbol}_derivatives", window)


def macro(lake: Lake, view: View) -> None:
    """Draw the coin, the synthetic dollar index, and a macro ticker, on the same stretch of time."""
    window = lake.window(view)
    tf = state.coarse("1m", window)
    coin = queries.bars(lake.con, lake.layout, view.symbol, window, tf)
    index = queries.dxy(lake.con, lake.layout, window)
    if not lake.layout.tickers():
        st.info("The lake has no macro minutes: `crypto-lake macro-minute` fetches them.")
    minutes = state.minutes(window)
    _series(coin, "close", f"{view.symbol}, close", state.SECONDS[tf], window)
    _series(index, "close", "Synthetic DXY, of its six rates", minutes, window, colour=theme.SECOND)
    if view.ticker:
        other = queries.macro(lake.con, lake.layout, view.ticker, window)
        _series(other, "close", f"{view.ticker}, close", minutes, window, colour=theme.FLAT)
        _foot(other, f"minutes of {view.ticker}", f"{view.ticker}_macro", window)


def _series(table: pa.Table, column: str, title: str, seconds: int, span: Window, *, signed: bool = False,
            colour: str = theme.LINE) -> None:  # fmt: skip
    st.subheader(theme.plain(title), anchor=False)
    if table[column].null_count == table.num_rows:
        st.caption("Nothing in this range.")
    elif signed:
        parts.chart(charts.signed(table, column, title, seconds, span), alt=title, key=title)
    else:
        step = column == "mark_price"
        parts.chart(charts.line(table, column, title, colour, seconds, span, step=step), alt=title, key=title)


def _foot(table: pa.Table, what: str, name: str, window: Window) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        parts.said(table.num_rows, what, window)
        parts.download(table, name, window)
