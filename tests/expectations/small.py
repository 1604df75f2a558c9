"""Small lakes: bars as plain rows, planted with whatever a test wants, written as the lake has them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.outcome import Outcome
from expectations.validate import validate
from lake.files import write_parquet
from lake.layout import Layout
from lake.schemas import BARS
from lake.windows import Window

START = datetime(2025, 10, 20, 10, tzinfo=UTC)
LATER = datetime(2026, 1, 1, tzinfo=UTC)
SOL = "SOLUSDT"
Row = dict[str, Any]


def bars(count: int, start: datetime = START, symbol: str = SOL, first_id: int = 1_000) -> list[Row]:
    """Clean bars, one a second: two trades each, every fifth flat, every seventh without quotes."""
    rows, trade = [], first_id
    for index in range(count):
        flat = index % 5 == 4
        quotes = index % 7 != 3
        rows.append(
            {
                "symbol": symbol,
                "window_start": start + timedelta(seconds=index),
                "open": 100.0,
                "high": 100.0 if flat else 101.0,
                "low": 100.0 if flat else 99.0,
                "close": 100.0,
                "volume_base": 0.0 if flat else 2.0,
                "volume_quote": 0.0 if flat else 200.0,
                "trade_count": 0 if flat else 2,
                "vwap": None if flat else 100.0,
                "bid": 99.5 if quotes else None,
                "ask": 100.5 if quotes else None,
                "spread": 1.0 if quotes else None,
                "taker_buy_base": 0.0,
                "taker_buy_quote": 0.0,
                "first_trade_id": None if flat else trade,
                "last_trade_id": None if flat else trade + 1,
                "complete": True,
            }
        )
        trade += 0 if flat else 2
    return rows


def next_id(rows: list[Row]) -> int:
    """The trade id after the last one of these bars."""
    return max(row["last_trade_id"] for row in rows if row["last_trade_id"] is not None) + 1


def plant(rows: list[Row], where: range | list[int], **values: Any) -> list[Row]:
    """Put values into rows, by index."""
    for index in where:
        rows[index].update(values)
    return rows


def table(rows: list[Row]) -> pa.Table:
    """The rows as an Arrow table, nulls allowed anywhere: what a broken writer would leave."""
    return pa.Table.from_pylist(rows, schema=pa.schema([pa.field(c.name, c.type) for c in BARS.columns]))


def write_hours(layout: Layout, rows: list[Row], symbol: str = SOL) -> None:
    """Write rows as hour files."""
    hours: dict[datetime, list[Row]] = {}
    for row in rows:
        hours.setdefault(row["window_start"].replace(minute=0, second=0, microsecond=0), []).append(row)
    for hour, part in hours.items():
        write_parquet(layout.hour_file(symbol, hour), table(part), "snappy")


def write_as_is(path: Path, found: pa.Table) -> None:
    """Write a table that does not conform."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(found, path)


def check(
    layout: Layout, seconds: int, start: datetime = START, symbols: tuple[str, ...] = (SOL,), **more: Any
) -> Outcome:
    """Validate so many seconds from a start."""
    window = Window(start, start + timedelta(seconds=seconds))
    return validate(layout, symbols, window, **{"now": LATER, **more})


def counts(outcome: Outcome) -> dict[str, int]:
    """The rules that are violated, and by how much."""
    return {rule.rule: rule.violations for rule in outcome.rules if rule.violations}


def rows_of(outcome: Outcome, rule: str) -> list[Row]:
    """The offending rows that were kept of a rule."""
    return list(next(one.rows for one in outcome.rules if one.rule == rule))


def at(index: int, start: datetime = START) -> str:
    """The window_start of a row, as results have it."""
    return (start + timedelta(seconds=index)).isoformat().replace("+00:00", "Z")
