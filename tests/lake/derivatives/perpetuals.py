"""A stand-in's perpetuals: when it is there, what was paid and open, and what of it is in the lake."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from lake.schemas import OPEN_INTEREST, UTC_US
from lake.windows import micros
from simulator import Listing

NOW = datetime(2024, 3, 15, 12, 2, 30, tzinfo=UTC)
FIVE = timedelta(minutes=5)
LISTED = datetime(2024, 3, 10, 7, 33, tzinfo=UTC)
FUNDING, INTEREST, ARCHIVE = "/fapi/v1/fundingRate", "/futures/data/openInterestHist", "/data/futures/um"
PAIRS = [
    "SOLUSDT",
    Listing("RIFUSDT", 0.1, 4, 1, perpetual=False),
    Listing("NEWUSDT", 5.0, 4, 2, listed_us=micros(LISTED)),
]


def rows(layout, kind, symbol="SOLUSDT"):
    """Every row in the lake, read by a glob, as a user does."""
    files = (layout.derivatives / kind / symbol).rglob("*.parquet")
    tables = [pq.ParquetFile(path).read() for path in files]
    table = pa.concat_tables(tables) if tables else pa.table({"symbol": [], "at": []})
    found = [tuple(micros(v) if isinstance(v, datetime) else v for v in row.values()) for row in table.to_pylist()]
    return sorted(found)


def paid(sim, start, end, symbol="SOLUSDT"):
    found = sim.fundings(symbol, micros(start), micros(end))
    return [(f.symbol, f.time_us, float(f.rate), float(f.mark_price)) for f in found]


def interest(sim, start, end, symbol="SOLUSDT"):
    found = sim.open_interests(symbol, micros(start), micros(end))
    return [(o.symbol, o.time_us, float(o.amount), float(o.value)) for o in found]


def day(number, hour=0, minute=0):
    return datetime(2024, 3, number, hour, minute, tzinfo=UTC)


def interests(found):
    """A table of open interest: (time in microseconds, open interest, value)."""
    times, amounts, values = zip(*found, strict=True)
    columns = [["SOLUSDT"] * len(times), pa.array(times, pa.int64()).cast(UTC_US), list(amounts), list(values)]
    return OPEN_INTEREST.conform(pa.table(columns, names=OPEN_INTEREST.names))
