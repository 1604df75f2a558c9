from datetime import UTC, datetime

import pytest

from lake.windows import micros
from simulator import Listing, Simulator
from tests.lake.backfill.exchange import NOW, START, Exchange


@pytest.fixture(scope="package")
def market():
    pairs = [
        "SOLUSDT", "OPUSDT", "币安人生USDT",
        Listing("NEWUSDT", 3.0, 3, 1, listed_us=micros(datetime(2025, 1, 2, 7, 13, tzinfo=UTC))),
    ]  # fmt: skip
    with Simulator(pairs, 5, start_us=START, rate=0.5, clock=lambda: NOW, weight_limit=1_000_000) as sim:
        yield sim


@pytest.fixture
def exchange(market, layout):
    yield Exchange(market, layout)
    market.clear_faults()
