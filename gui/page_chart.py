"""Candles, volume and spread of a symbol, and a second symbol beside it."""

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from gui import charts, parts, queries, state
from gui.open import Lake
from gui.state import View
from lake.windows import Window


def draw(lake: Lake, view: View) -> None:
    """Draw the page."""
    window = lake.window(view)
    tf = state.coarse(view.tf, window)
    window = state.with_a_bar(window, tf)
    bars = queries.bars(lake.con, lake.layout, view.symbol, window, tf)
    if tf != view.tf:
        st.info(f"Shown as {tf} bars: {view.tf} bars of this range would be more than {state.MOST_POINTS:,} points.")
    if not bars.num_rows:
        parts.said(0, f"{tf} bars of {view.symbol}", window)
        st.info("The lake has no bars of this range. The Quality page shows what is held.")
        return
    _figures(bars)
    seconds, span = state.SECONDS[tf], state.drawn(window, tf)
    parts.chart(charts.candles(bars, seconds, span), alt=f"Candles of {view.symbol}", key="candles")
    st.subheader("Volume, in the quote currency", anchor=False)
    parts.chart(charts.volume(bars, seconds, span), alt="Volume by direction", key="volume")
    st.subheader("Spread, in basis points", anchor=False)
    if bars["spread"].null_count < bars.num_rows:
        parts.chart(charts.spread(bars, seconds, span), alt="Spread", key="spread")
    else:
        st.caption("No quotes are held in this range.")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        pale = "" if pc.all(bars["complete"]).as_py() else ", the pale ones not proved complete"
        parts.said(bars.num_rows, f"{tf} bars of {view.symbol}{pale}", window)
        parts.download(bars, f"{view.symbol}_{tf}", window)
    if view.versus:
        other = queries.bars(lake.con, lake.layout, view.versus, window, tf)
        _compare({view.symbol: bars, view.versus: other}, seconds, span)


def _figures(bars: pa.Table) -> None:
    first, last = bars["open"][0].as_py(), bars["close"][-1].as_py()
    proved = pc.sum(bars["complete"]).as_py() / bars.num_rows
    parts.figures(
        {
            "Last": parts.number(last),
            "Change": f"{last / first - 1:+.2%}" if first else "–",
            "High": parts.number(pc.max(bars["high"]).as_py()),
            "Low": parts.number(pc.min(bars["low"]).as_py()),
            "Volume, quote": parts.number(pc.sum(bars["volume_quote"]).as_py()),
            "Bars proved complete": f"{proved:.1%}",
        }
    )


def _compare(both: dict[str, pa.Table], seconds: int, window: Window) -> None:
    first, second = both
    st.subheader(f"{first} and {second}, rebased to 100", anchor=False)
    if not both[second].num_rows:
        st.caption(f"{second}: no bars in this range.")
        return
    parts.chart(charts.rebased(both, seconds, window), alt=f"{first} and {second}, rebased to 100", key="rebased")
