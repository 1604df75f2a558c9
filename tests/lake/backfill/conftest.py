from datetime import UTC, datetime

import pytest

from lake.windows import micros
from simulator import Listing, Simulator
from tests.lake.backfill.exchange import LATER, NOW, START, Exchange

NEW = Listing("NEWUSDT", 3.0, 3, 1, listed_us=micros(datetime(2025, 1, 2, 7, 13, tzinfo=UTC)))


@pytest.fixture(scope="package")
def market():
    pairs = ["SOLUSDT", "OPUSDT", "币安人生USDT", NEW]
    with Simulator(pairs, 5, start_us=START, rate=0.5, clock=lambda: NOW, weight_limit=1_000_000) as sim:
        yield sim


@pytest.fixture
def exchange(market, layout):
    yield Exchange(market, layout)
    market.clear_faults()


@pytest.fixture(scope="package")
def later_market():
    with Simulator(["SOLUSDT", NEW], 5, start_us=START, rate=0.2, clock=lambda: LATER, weight_limit=1_000_000) as sim:
        yield sim


@pytest.fixture
def later(later_market, layout):
    """An exchange on 2025-01-20: December's zip is there, and what is missing of it will not come any more."""
    yield Exchange(later_market, layout)
    later_market.clear_faults()
