"""A stand-in with official klines, a lake beside it, and what both must hold."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from lake import backfill
from lake.backfill import Backfilled, Job
from lake.sections import Binance
from lake.windows import DAY_US, Window, micros
from tests.lake.counted import counted

NOW = micros(datetime(2025, 1, 4, 12, 30, 30, tzinfo=UTC))
START = NOW // DAY_US * DAY_US - 20 * DAY_US
LATER = micros(datetime(2025, 1, 20, 12, 30, 30, tzinfo=UTC))
KLINES = "/api/v3/klines"
ZIPS = "/data/spot"
DAILY = f"{ZIPS}/daily/klines/SOLUSDT/1m/SOLUSDT-1m"
MONTHLY = f"{ZIPS}/monthly/klines/SOLUSDT/1m/SOLUSDT-1m"


class Exchange:
    """A stand-in whose clock stands at 2025-01-04 12:30:30, with 20 days of history, and a lake beside it."""

    def __init__(self, sim, layout):
        self.sim, self.layout = sim, layout
        self.hosts = Binance(rest_url=sim.rest_url, archive_url=sim.archive_url)

    def run(self, start="2025-01-01", end="2025-01-05", symbol="SOLUSDT", interval="1m", source="rest") -> Backfilled:
        job = Job(symbol, interval, Window.parse(start, end), source)
        info = backfill.ask(self.layout, self.hosts, [symbol], source)
        return backfill.run(self.layout, self.hosts, job, info)

    def held(self, symbol="SOLUSDT", interval="1m"):
        """Every candle in the lake, as the exchange's arrays; read by a glob, as a user does."""
        name = "klines_month" if interval == "1M" else f"klines_{interval}"
        paths = (self.layout.backfill / symbol).glob(f"year=*/month=*/day=*/{name}*.parquet")
        tables = [pq.read_table(path, partitioning=None) for path in paths]
        rows = pa.concat_tables(tables).sort_by("open_time").to_pylist() if tables else []
        return [tuple(_plain(value) for value in row.values())[1:12] for row in rows]

    def off_grid(self, symbol="SOLUSDT", interval="1m"):
        """Every candle in the lake that has an open time of its own: that of its window, and its own, in ms."""
        paths = (self.layout.backfill / symbol).glob(f"year=*/month=*/day=*/klines_{interval}.parquet")
        tables = [pq.read_table(path, columns=["open_time", "exchange_open_time"], partitioning=None) for path in paths]
        rows = pa.concat_tables(tables).sort_by("open_time").to_pylist()
        return [tuple(map(_plain, row.values())) for row in rows if row["exchange_open_time"]]

    def truth(self, start, end, symbol="SOLUSDT", interval="1m"):
        """The stand-in's own candles that open in a window and are over."""
        window = Window.parse(start, end)
        found = self.sim.klines(symbol, interval, window.start_us, window.end_us - 1)
        over = self.sim.exchange.horizon_us // 1000
        return [
            (row[0], *map(float, row[1:6]), row[6], float(row[7]), row[8], *map(float, row[9:11]))
            for row in found
            if row[6] < over
        ]

    def count(self, path):
        """Return a function that tells how many requests have been made to a path since now."""
        return counted(self.sim, path)


def _plain(value):
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value
