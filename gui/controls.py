"""The controls at the top of the page, kept equal to the page's address: a link shows the same again."""

from collections.abc import Sequence

import streamlit as st

from gui import state, theme
from gui.state import View

_FIELDS = tuple(View.__dataclass_fields__)


def view(symbols: Sequence[str], tickers: Sequence[str]) -> View:
    """Draw the controls, and return what is chosen; the address is written anew where it says something else."""
    _take_address(symbols, tickers)
    st.segmented_control("Page", state.PAGES, key="page", required=True, label_visibility="collapsed")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox("Symbol", symbols, key="symbol", width=150)
        if st.session_state.page == "Chart":
            st.segmented_control("Timeframe", list(state.SECONDS), key="tf", required=True)
        if st.session_state.page == "Macro":
            st.selectbox("Ticker", tickers or [""], key="ticker", width=150)
        if st.session_state.page != "Health":
            typed = bool(st.session_state.start or st.session_state.end)
            st.session_state.range = None if typed else st.session_state.range or View.range
            st.segmented_control("Range, until the newest bar", list(state.RANGES), key="range", on_change=_untype,
                                 required=not typed)  # fmt: skip
            with st.popover("From, to"):
                st.text_input("Start (UTC)", key="start", placeholder="2025-10-21T00:00:00Z", max_chars=40)
                st.text_input("End (UTC)", key="end", placeholder="2025-10-22T00:00:00Z", max_chars=40)
                st.caption("Typed times win over the buttons; empty both to go back.")
        if st.session_state.page == "Chart":
            st.selectbox("Compare", ["", *symbols], key="versus", width=150, format_func=lambda name: name or "none")
        st.selectbox("Refresh", list(state.REFRESH), key="refresh", width=90)
    found = View(**{name: st.session_state.get(name) or getattr(View, name) for name in _FIELDS})
    _keep(found)
    return found


def _take_address(symbols: Sequence[str], tickers: Sequence[str]) -> None:
    """Set the controls from the address, when it is not what was written there last."""
    given = {name: str(text) for name, text in st.query_params.items()}
    if given != st.session_state.get("address"):
        found, wrong = state.parse(given)
        for name, known, where in (
            ("symbol", symbols, "bars"),
            ("versus", symbols, "bars"),
            ("ticker", tickers, "rows"),
        ):
            value = getattr(found, name)
            if value and value not in known:
                wrong.append(f"{name} {value}: has no {where} in this lake")
        for name in _FIELDS:
            st.session_state[name] = getattr(found, name)
        st.session_state.address, st.session_state.refused = given, wrong
    for name, known in (("symbol", symbols), ("ticker", tickers or [""])):
        if st.session_state.get(name) not in known:
            st.session_state[name] = known[0]
    if st.session_state.get("versus") not in symbols:
        st.session_state.versus = ""
    for name in _FIELDS:  # a control that is not drawn on this page keeps its choice
        st.session_state[name] = st.session_state.get(name, getattr(View, name))
    for line in st.session_state.pop("refused", []):
        st.error(f"Not taken from the address: {theme.plain(line)}")


def _keep(found: View) -> None:
    wanted = found.params()
    if wanted != st.session_state.address:
        st.query_params.from_dict(wanted)
        st.session_state.address = wanted


def _untype() -> None:
    st.session_state.start = st.session_state.end = ""
