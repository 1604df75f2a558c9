"""What several pages have: the line that says what is shown, the link to its rows, a row of figures."""

from datetime import datetime
from functools import partial

import pyarrow as pa
import streamlit as st

from gui import queries, theme
from gui.charts import Chart
from lake.windows import Window, iso


def said(count: int, what: str, window: Window) -> None:
    """Say how much of what is shown, and of when."""
    st.caption(f"{count:,} {theme.plain(what)} · {short(window.start)} to {short(window.end)} UTC")


def short(at: datetime) -> str:
    """Return a UTC time to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%S")


def download(table: pa.Table, name: str, window: Window) -> None:
    """Offer the rows of a table, as they are on the screen, as CSV, which is made when it is asked for."""
    stamp = f"{iso(window.start)}_{iso(window.end)}".replace(":", "")
    st.download_button(
        f"CSV, {table.num_rows:,} rows", partial(queries.csv, table), f"{name}_{stamp}.csv", "text/csv",
        key=f"csv-{name}", on_click="ignore", icon=":material/download:",
    )  # fmt: skip


def chart(drawn: Chart, alt: str, key: str) -> None:
    """Draw a chart; ``alt`` is what it is called to those who do not see it.

    Its rows go by name: those that Streamlit is given apart reach Vega after a first drawing without any.
    """
    rows = {"data": {"name": "rows"}, "datasets": {"rows": drawn.rows}}
    st.vega_lite_chart(spec=drawn.spec | rows, alt=alt, key=key)


def figures(values: dict[str, str]) -> None:
    """Show figures side by side, as many as fit."""
    with st.container(horizontal=True, gap="medium"):
        for label, value in values.items():
            st.metric(label, value, width="content")


def number(value: float | None) -> str:
    """Return a number as a person reads it."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.6g}"
