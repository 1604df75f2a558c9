import pytest

from lake.windows import micros
from simulator import Simulator
from tests.lake.yahoo.asking import TUESDAY


@pytest.fixture
def stand_in():
    """Start a stand-in whose clock stands at a time."""
    running = []

    def start(now=TUESDAY, **options):
        running.append(Simulator(["SOLUSDT"], seed=7, clock=lambda: micros(now), **options).start())
        return running[-1]

    yield start
    for sim in running:
        sim.stop()
