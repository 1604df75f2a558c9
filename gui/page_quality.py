"""How complete and how right the data is: coverage, parity with the exchange, verdicts, latency."""

from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from gui import charts, page_health, parts, queries, state
from gui.open import Lake
from gui.state import View
from lake.windows import Window


def draw(lake: Lake, view: View) -> None:
    """Draw the page."""
    window = lake.window(view)
    table = queries.coverage(lake.con, lake.layout, view.symbol, window)
    _coverage(table, window)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        parts.said(table.num_rows, f"stretches of {state.stretch(window):,} s of {view.symbol}", window)
        parts.download(table, f"{view.symbol}_coverage", window)
    _parity(queries.parity(lake.con, lake.layout, view.symbol))
    _verdicts(lake, view.symbol)
    st.subheader("Latency of the collector", anchor=False)
    page_health.latency(queries.heartbeat(lake.layout))


def _coverage(table: pa.Table, window: Window) -> None:
    total = {name: pc.sum(table[name]).as_py() for name in table.column_names[1:]}
    parts.figures(
        {
            "Proved complete": f"{total['complete'] / total['seconds']:.2%}",
            "Seconds held": f"{total['held']:,}",
            "Flat": f"{total['flat']:,}",
            "Missing": f"{total['missing']:,}",
            "Trades missing": f"{total['trades_missing']:,}",
        }
    )
    st.subheader("Coverage: share of seconds", anchor=False)
    parts.chart(
        charts.coverage(table, state.stretch(window), window), alt="Seconds held, flat and missing", key="coverage"
    )


def _parity(table: pa.Table | None) -> None:
    st.subheader("Parity: complete minutes that equal the exchange's klines", anchor=False)
    if table is None or not table.num_rows:
        st.caption("No minute was compared yet: `crypto-lake backfill-binance`, then `crypto-lake validate-rules`.")
        return
    share = st.column_config.NumberColumn("agree (share)", format="percent")
    names = {name: name.replace("_", " ") for name in table.column_names} | {"share": share}
    height = "content" if len(table) < 9 else 320
    st.dataframe(table.to_pandas(), hide_index=True, column_config=names, height=height)


def _verdicts(lake: Lake, symbol: str) -> None:
    st.subheader("Verdicts", anchor=False)
    rows = queries.verdicts(lake.layout, symbol)
    if not rows:
        st.caption("No day was validated yet: `crypto-lake validate-rules`.")
        return
    base, folder = lake.docs(), lake.layout.reports / "data_docs"
    if base:
        shown = [{**row, "page": f"{base}/{quote(row['page'])}"} for row in rows]
    else:
        shown = [{**row, "page": str(folder / row["page"])} for row in rows]
        st.caption("The Data Docs server does not answer, so here are the pages' files.")
    link = {"page": st.column_config.LinkColumn(display_text="open")} if base else {}
    st.dataframe(shown, hide_index=True, column_config=link, height="content" if len(rows) < 9 else 320)
