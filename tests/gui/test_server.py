"""The dashboard's server: how it ends."""

import importlib.util
import os
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lake.layout import Layout
from tests import browser
from tests.gui.conftest import ROOT, started
from tests.gui.small import seconds, write
from tests.live import wait

pytestmark = pytest.mark.slow
SIGNALS = [signal.SIGINT, signal.SIGTERM]
BUSY = """
from gui import page_chart

def draw(lake, view):
    lake.layout.base.joinpath("asking").touch()
    while True:
        lake.con.cursor().sql("SELECT max(hash(a.range)) AS most FROM range(100000000) a").to_arrow_table()

page_chart.draw = draw
"""
"""A page that asks one query of some tenths of a second after the other."""


def ended(process, number):
    """Send a signal; return the exit code, at most 5 s later."""
    process.send_signal(number)
    return process.wait(5)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_connection_that_never_reads_does_not_keep_it_from_ending(tmp_path, number):
    """As a tab of a machine that sleeps: what it asked for is never delivered, so nothing is ever closed."""
    layout = Layout(tmp_path / "lake")
    write(layout, seconds(60))
    with started(layout.base, tmp_path / "log") as (process, url), socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", urlsplit(url).port))
        deaf.sendall(f"GET {largest()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert deaf.recv(12) == b"HTTP/1.1 200"
        assert ended(process, number) == 0


@pytest.mark.skipif(not browser.executable(), reason=browser.MISSING)
@pytest.mark.parametrize("number", SIGNALS)
def test_a_query_that_runs_does_not_keep_it_from_ending(tmp_path, number):
    layout = Layout(tmp_path / "lake")
    write(layout, seconds(60))
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(BUSY)
    with (
        browser.chromium() as chromium,
        started(layout.base, tmp_path / "log", PYTHONPATH=f"{site}{os.pathsep}{ROOT}") as (process, url),
    ):
        chromium.open(f"{url}/?refresh=15s")
        wait((layout.base / "asking").exists, 30)
        assert ended(process, number) == 0
        assert not list(layout.base.glob(".duckdb-*"))


def largest():
    """The address of the largest script that Streamlit brings along."""
    static = Path(importlib.util.find_spec("streamlit").origin).parent / "static"
    return (
        "/"
        + max((static / "static" / "js").glob("*.js"), key=lambda path: path.stat().st_size)
        .relative_to(static)
        .as_posix()
    )
