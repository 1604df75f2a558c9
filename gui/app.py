"""The dashboard's script: ``streamlit run gui/app.py``, or ``crypto-lake dashboard``."""

import streamlit as st

from gui import controls, empty, state, theme
from gui.open import Lake, opened
from gui.pages import PAGES
from lake import duck
from lake.errors import LakeError


def main() -> None:
    """Draw the page that the address asks for."""
    st.set_page_config("crypto-lake", layout="wide")
    st.html(theme.STYLE)
    st.title("crypto-lake", anchor=False)
    try:
        lake = opened()
    except LakeError as error:
        st.error(theme.plain(str(error)))
        return
    symbols = lake.symbols
    if not symbols:
        st.fragment(run_every=5)(empty.draw)(lake)
        return
    view = controls.view(symbols, lake.layout.tickers())
    st.fragment(run_every=state.REFRESH[view.refresh])(_safe)(lake, view)


def _safe(lake: Lake, view: state.View) -> None:
    """One page; what is wrong with what was asked for, or with the lake's files, is one line."""
    try:
        PAGES[view.page](lake, view)
    except LakeError as error:
        st.error(theme.plain(str(error)))
    except lake.errors as error:
        st.error(f"The lake cannot be read: {theme.plain(duck.reason(error))}")


main()
