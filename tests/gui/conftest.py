import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import browser
from tests.live import wait

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def chromium():
    """A browser that reaches 127.0.0.1 and nothing else; whoever else was to be reached has knocked."""
    with browser.chromium() as found:
        yield found
        assert found.knocks == []


@contextmanager
def dashboard(base, log, **environment):
    """``crypto-lake dashboard`` on a free port; gives its address. It ends at the end, within 5 s."""
    with started(base, log, **environment) as (process, url):
        yield url
        process.terminate()
        assert process.wait(5) == 0


@contextmanager
def started(base, log, **environment):
    """``crypto-lake dashboard`` on a free port; gives its process and its address."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("LAKE_")}
    settings = {"LAKE_BASE_PATH": str(base), "LAKE_DASHBOARD__PORT": "0", "TZ": "Asia/Kolkata", **environment}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", "dashboard"], env=own | settings, cwd=ROOT, stdout=out, stderr=out,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        yield process, wait(lambda: _address(process, log))
    finally:
        process.kill()
        process.wait()


def _address(process, log):
    text = log.read_text()
    assert process.poll() is None, text
    told = [line.split()[-1] for line in text.splitlines() if "dashboard: http://127.0.0.1:" in line]
    if not told:
        return None
    try:
        socket.create_connection(("127.0.0.1", int(told[0].rpartition(":")[2])), 1).close()
    except OSError:
        return None
    return told[0]
