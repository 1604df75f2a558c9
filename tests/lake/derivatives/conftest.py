import pytest

from lake import derivatives
from lake.derivatives import Collected
from lake.sections import Binance
from lake.windows import Window, micros
from simulator import Simulator
from tests.lake.derivatives.perpetuals import NOW, PAIRS


@pytest.fixture(scope="package")
def shared():
    """A stand-in whose clock stands at 2024-03-15 12:02:30, with 200 days of history."""
    free = {"futures": 10**9, "funding": 10**9, "open_interest": 10**9}
    with Simulator(PAIRS, 7, rate=0.05, clock=lambda: micros(NOW), request_limits=free) as sim:
        yield sim


@pytest.fixture
def sim(shared):
    yield shared
    shared.clear_faults()


@pytest.fixture
def run(sim, layout):
    hosts = Binance(futures_url=sim.futures_url, archive_url=sim.archive_url)

    def run(start, end, symbol="SOLUSDT", now=NOW) -> Collected:
        window = Window.parse(start, end) if isinstance(start, str) else Window(start, end)
        return derivatives.run(layout, hosts, symbol, window, now)

    return run
