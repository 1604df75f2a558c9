"""The lake that the settings name, opened once a server; every run of the script takes cursors of its connection."""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import streamlit as st

from gui import source, state
from lake import sandbox, settings
from lake.errors import LakeError
from lake.layout import Layout
from lake.settings import Settings
from lake.windows import Window


@dataclass(frozen=True)
class Lake:
    """The lake's settings, and a connection that has its views."""

    settings: Settings
    con: sandbox.Connection
    errors = (duckdb.Error,)

    @property
    def layout(self) -> Layout:
        """Where everything lies, by the names that the connection knows it by."""
        return Layout(self.settings.layout.base.resolve())

    @property
    def symbols(self) -> list[str]:
        """Every symbol that has bars: those of the settings first, in their order."""
        held = self.layout.bar_symbols()
        return sorted(held, key=[*self.settings.symbols, *held].index)

    def window(self, view: state.View, *, whole: bool = False) -> Window:
        """Return the stretch of time that a view shows.

        Args:
            view: What is on the screen.
            whole: Of a quick range all of it, also what is before the first bar.

        Raises:
            LakeError: the symbol has no bars, or the typed times are none.
        """
        ends = source.extent(self.con, self.layout, view.symbol)
        if ends is None:
            raise LakeError(f"{view.symbol}: has no bars: crypto-lake transform-hour makes them of raw parts")
        first, newest = ends
        return state.window(view, None if whole else first, newest)

    def docs(self) -> str | None:
        """Return the address of the Data Docs server, or None where none answers."""
        port = self.settings.docs.port
        try:
            with socket.create_connection(("127.0.0.1", port), 0.2):
                return f"http://127.0.0.1:{port}"
        except OSError:
            return None


def opened() -> Lake:
    """Return the lake of the settings in force.

    Raises:
        LakeError: a setting is wrong.
    """
    found = settings.load()
    return Lake(found, _connection(found.base_path))


def now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


@st.cache_resource(show_spinner=False)
def _connection(base_path: str) -> sandbox.Connection:
    return sandbox.connect()
