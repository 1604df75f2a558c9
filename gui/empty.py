"""What a lake without bars says: what to start, and what there is already."""

import streamlit as st

from gui import theme
from gui.open import Lake

_STARTS = {
    "make demo": "The whole lake at work in some minutes, with no internet:",
    "crypto-lake up --demo": "The same with these pages, live; they are of another lake then, and up says where:",
    "crypto-lake up": "Record the exchange, and keep everything running:",
    "crypto-lake collect-live": "Or record trades and quotes alone, until Ctrl-C:",
    "crypto-lake transform-hour": "Build 1-second bars of what was recorded:",
}


def draw(lake: Lake) -> None:
    """Explain; once there are bars, draw the whole page anew."""
    if lake.layout.bar_symbols():
        st.rerun()
    st.subheader("This lake has no bars yet", anchor=False)
    st.write(f"Its folder is {theme.plain(str(lake.layout.base))}. Start with one of these:")
    for command, what in _STARTS.items():
        st.caption(what)
        st.code(command, language="bash")
    if raw := lake.layout.raw_symbols():
        st.info(
            f"Raw parts of {', '.join(raw[:20])} are there already: `crypto-lake transform-hour` builds their bars."
        )
    st.caption("This page looks again every 5 seconds.")
