"""`crypto-lake dashboard` where it cannot start: one line, exit 2."""

import socket
import sys

import pytest

from flows.__main__ import main


def test_a_taken_port_is_one_line(command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("dashboard", LAKE_DASHBOARD__PORT=str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"crypto-lake: dashboard.port {port}: ")
    assert done.stderr.endswith("set another, or 0 for a free one\n")
    assert done.stderr.count("\n") == 1


def test_without_streamlit_a_line_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "streamlit.web", None)
    with pytest.raises(SystemExit) as left:
        main(["dashboard"])
    assert left.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "crypto-lake: the dashboard needs Streamlit: make install, or pip install 'crypto-lake[dashboard]'\n"
    )
