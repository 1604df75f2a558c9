"""A small lake for the dashboard: seconds that climb by one, with a hole, in hour files."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from lake import files
from lake.schemas import FUNDING, MACRO, OPEN_INTEREST
from lake.selections import DXY
from tests.expectations.small import table

START = datetime(2025, 10, 20, 10, tzinfo=UTC)


def seconds(count, start=START, symbol="SOLUSDT", price=100.0, without=()):
    """One bar a second from ``price`` on; every fifth is flat, those of ``without`` are not there.

    Every other minute falls. Trade ids run on from one call to the next, through all that is not written, as the
    exchange's do: none but those of ``without`` are missing.
    """
    rows = []
    before = int((start - START).total_seconds())
    for index in range(count):
        flat = index % 5 == 4
        second = before + index
        traded = 1_000_000 + second - (second + 1) // 5
        at = price + index / 100
        rows.append(
            {
                "symbol": symbol, "window_start": start + timedelta(seconds=index), "open": at, "high": at + 1,
                "low": at - 1, "close": at + (0.9 if index // 60 % 2 else -0.9), "volume_base": 0.0 if flat else 2.0,
                "volume_quote": 0.0 if flat else 2 * at, "trade_count": 0 if flat else 2, "vwap": None if flat else at,
                "bid": at - 0.01, "ask": at + 0.01, "spread": 0.02, "taker_buy_base": 0.0, "taker_buy_quote": 0.0,
                "first_trade_id": None if flat else 2 * traded, "last_trade_id": None if flat else 2 * traded + 1,
                "complete": True,
            }
        )  # fmt: skip
    return [row for index, row in enumerate(rows) if index not in without]


def write(layout, rows, *, compacted=False):
    """Write rows as the hour files, or the day file, of their days."""
    parts = {}
    for row in rows:
        at = row["window_start"]
        key = at.date() if compacted else at.replace(minute=0, second=0)
        parts.setdefault((row["symbol"], key), []).append(row)
    for (symbol, key), part in parts.items():
        path = layout.day_file(symbol, key) if compacted else layout.hour_file(symbol, key)
        files.write_parquet(path, table(part), "snappy")


def derivatives(layout, hours, start=START, symbol="SOLUSDT"):
    """A funding in the first hour, and the open interest of each hour."""
    paid = [{"symbol": symbol, "funding_time": start, "funding_rate": -0.0001, "mark_price": 99.5}]
    held = [
        {"symbol": symbol, "ts": start + timedelta(hours=n), "open_interest": 1000.0 + n, "open_interest_value": 1e5}
        for n in range(hours)
    ]
    for path, rows, schema in (
        (layout.funding_file(symbol, start.year), paid, FUNDING),
        (layout.open_interest_file(symbol, start.date()), held, OPEN_INTEREST),
    ):
        files.write_parquet(path, pa.Table.from_pylist(rows, schema.arrow), "snappy")


def macro(layout, minutes, start=START, tickers=(*DXY, "SPY")):
    """Minutes of each ticker, at 1.5 and a ten-thousandth more each minute."""
    for ticker in tickers:
        rows = [
            {"ticker": ticker, "ts": start + timedelta(minutes=n), "volume": 0.0}
            | dict.fromkeys(("open", "high", "low", "close"), 1.5 + n / 10_000)
            for n in range(minutes)
        ]
        files.write_parquet(layout.macro_file(ticker, start.date()), pa.Table.from_pylist(rows, MACRO.arrow), "snappy")
