"""Nobody else is asked, and nothing is left behind."""

import socket
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lake import yahoo
from lake.errors import LakeError
from lake.windows import Window
from tests.lake.yahoo.asking import TUESDAY, asked


class Trap:
    """A proxy that takes note of who asks for another host, and answers nothing."""

    def __init__(self, monkeypatch):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.setenv(name, address)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "127.0.0.1")

    def sprung(self):
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def trap(monkeypatch):
    made = Trap(monkeypatch)
    yield made
    made.listener.close()


def test_no_request_goes_to_another_host(trap, stand_in):
    """Cookie, crumb, consent (after an error yfinance tries the other way to a cookie), zone, chart."""
    sim = stand_in()
    assert asked(sim, "SPY").rows
    with pytest.raises(LakeError):
        asked(sim, "NOPE")
    for kind in ("429", "500"):
        sim.fault(kind)
        with pytest.raises(LakeError):
            asked(sim, "SPY")
        sim.clear_faults()
    assert not trap.sprung()
    ask = yahoo._session(sim.yahoo_url).get
    assert ask("https://fc.yahoo.com/?a=b", timeout=5).status_code == 404
    assert not trap.sprung()


def test_the_trap_of_the_test_above_is_one(trap):
    def ask():
        with suppress(LakeError):
            yahoo.minutes("SPY", Window(TUESDAY, TUESDAY + timedelta(1)))

    thread, sprung = threading.Thread(target=ask), 0
    thread.start()
    while thread.is_alive():
        sprung += trap.sprung()
        thread.join(0.01)
    assert sprung


def test_a_redirect_to_another_host_is_not_followed(trap):
    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Redirect)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(LakeError, match="no JSON"):
            yahoo.minutes("SPY", Window(TUESDAY, TUESDAY + timedelta(1)), f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not trap.sprung()


def test_nothing_is_kept_on_disk_and_nothing_is_logged(stand_in, tmp_path):
    """yfinance's own caches are SQLite files in the user's folder, which two processes lock for each other."""
    code = (
        "from datetime import *; from lake import yahoo; from lake.windows import Window\n"
        "now = datetime(2026, 11, 24, 20, tzinfo=UTC); window = Window(now - timedelta(1), now)\n"
        f"print(len(yahoo.minutes('SPY', window, '{stand_in().yahoo_url}').rows))\n"
        f"try: yahoo.minutes('NOPE', window, '{stand_in().yahoo_url}')\n"
        "except yahoo.NoSuchTickerError: print('no such')"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "PATH": "/usr/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert (done.stdout, done.stderr) == ("390\nno such\n", "")
    assert list(home.rglob("*")) == []
