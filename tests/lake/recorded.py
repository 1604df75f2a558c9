"""A recording of trades, and the exchange's 1-minute klines of the trades that there were: made from the same list."""

from collections import defaultdict
from decimal import Decimal

import pyarrow as pa

from lake import kline_store
from lake.schemas import KLINES
from lake.windows import MINUTE_US, moment
from tests.conftest import DAY


def klines_of(lines, minutes):
    """The klines of raw lines of trades for some minutes (counted from 2025-10-20), as dicts with the columns."""
    by_minute, rows, close = defaultdict(list), [], "1.0"
    for line in sorted(lines, key=lambda line: line["trade_id"]):
        by_minute[(line["ts_event"] - DAY) // MINUTE_US].append(line)
    for minute in minutes:
        given = by_minute[minute]
        prices = [line["price"] for line in given] or [close]
        close, bought = prices[-1], [line for line in given if line["side"] == "buy"]
        values = {name: float(value) for name, value in zip(("open", "close"), (prices[0], close), strict=True)}
        values |= {"high": max(map(float, prices)), "low": min(map(float, prices)), "trades": len(given)}
        values |= {"volume": _base(given), "quote_volume": _quote(given)}
        values |= {"taker_base_vol": _base(bought), "taker_quote_vol": _quote(bought)}
        start = DAY + minute * MINUTE_US
        times = {"open_time": moment(start), "close_time": moment(start + MINUTE_US - 1000)}
        rows.append({"symbol": given[0]["symbol"] if given else "SOLUSDT", **times, **values})
    return rows


def _base(lines):
    return float(sum((Decimal(line["qty"]) for line in lines), Decimal()))


def _quote(lines):
    return float(sum((Decimal(line["price"]) * Decimal(line["qty"]) for line in lines), Decimal()))


def put_klines(layout, rows):
    """Write klines in place of those of their days."""
    days = defaultdict(list)
    for row in rows:
        days[row["open_time"].date()].append(row)
    for day, part in days.items():
        schema = pa.schema([pa.field(column.name, column.type) for column in KLINES.columns])
        table = pa.Table.from_pylist(part, schema=schema)
        kline_store.write(layout, "SOLUSDT", "1m", day, table, "snappy", None)
