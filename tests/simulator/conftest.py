import threading
from pathlib import Path

import pytest

from simulator import Simulator

REALDATA = Path(__file__).parents[3] / "shared" / "realdata"
NOON = 1_710_504_000_000_000  # 2024-03-15 12:00 UTC, µs
DAY = 86_400_000_000


class Clock:
    """A clock that a test sets."""

    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def no_thread_is_left_behind():
    before = set(threading.enumerate())
    yield
    assert [t for t in set(threading.enumerate()) - before if not t.daemon or t.name.startswith("simulator")] == []


@pytest.fixture(scope="module")
def running():
    """A stand-in whose market goes on, for a file of tests: as long as it runs, it takes a part of a core."""
    with Simulator(["SOLUSDT", "BTCUSDT"], 7, rate=200, history_rate=0.2, quote_rate=50) as sim:
        yield sim


@pytest.fixture
def sim(running):
    yield running
    running.clear_faults()
    running.resume()


def until(condition, seconds=10):
    """Wait for a condition and return its value."""
    done = threading.Event()
    for _ in range(int(seconds * 200)):
        if value := condition():
            return value
        done.wait(0.005)
    raise AssertionError(f"not within {seconds} s: {condition}")
