"""Bars made of trades, and the exchange's klines of the same trades, made another way: a minute at once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from lake import kline_store
from lake.layout import Layout
from lake.schemas import KLINES
from tests.expectations.small import SOL, START

Row = dict[str, Any]
Trade = tuple[int, datetime, str, str, bool]
"""Id, time, price, quantity, whether the taker bought."""


def trades(minutes: int, start: datetime = START, first_id: int = 1_000, skip: tuple[int, ...] = ()) -> list[Trade]:
    """Trades of every second but each fifth, two a second; the minutes in ``skip`` have none."""
    found, number = [], first_id
    for second in range(60 * minutes):
        if second % 5 == 4 or second // 60 in skip:
            continue
        for part in (0, 1):
            price, qty = f"{100 + (second * 7 + part) % 13}.1", f"0.{1 + (second + part) % 9}3"
            found.append((number, start + timedelta(seconds=second, milliseconds=part), price, qty, part == 0))
            number += 1
    return found


def bars_of(given: list[Trade], symbol: str = SOL) -> list[Row]:
    """The 1-second bars of trades whose ids run on: all complete, from the first trade's second to the last's."""
    seconds: dict[datetime, list[Trade]] = {}
    for trade in given:
        seconds.setdefault(trade[1].replace(microsecond=0), []).append(trade)
    at, rows = min(seconds), []
    close = 0.0
    while at <= max(seconds).replace(second=59):
        rows.append(_bar(symbol, at, seconds.get(at, []), close))
        close, at = rows[-1]["close"], at + timedelta(seconds=1)
    return rows


def _bar(symbol: str, at: datetime, given: list[Trade], before: float) -> Row:
    row = {"symbol": symbol, "window_start": at, **_sums(given, before)}
    row |= {
        "vwap": row["volume_quote"] / row["volume_base"] if given else None,
        "bid": None,
        "ask": None,
        "spread": None,
    }
    row |= {"first_trade_id": given[0][0] if given else None, "last_trade_id": given[-1][0] if given else None}
    return row | {"complete": True}


def _sums(given: list[Trade], before: float) -> Row:
    prices = [float(price) for _, _, price, _, _ in given] or [before]
    exact = [(Decimal(price), Decimal(qty), buy) for _, _, price, qty, buy in given]
    return {
        "open": prices[0], "high": max(prices), "low": min(prices), "close": prices[-1],
        "volume_base": float(sum(qty for _, qty, _ in exact)),
        "volume_quote": float(sum(price * qty for price, qty, _ in exact)),
        "trade_count": len(given),
        "taker_buy_base": float(sum(qty for _, qty, buy in exact if buy)),
        "taker_buy_quote": float(sum(price * qty for price, qty, buy in exact if buy)),
    }  # fmt: skip


def candles_of(given: list[Trade], minutes: int, start: datetime = START, symbol: str = SOL) -> list[Row]:
    """The exchange's klines of trades: one a minute, flat where nothing traded."""
    rows, before = [], float(given[0][2]) if given else 100.0
    for minute in range(minutes):
        at = start + timedelta(minutes=minute)
        sums = _sums([trade for trade in given if at <= trade[1] < at + timedelta(minutes=1)], before)
        before = sums["close"]
        rows.append(candle(at, symbol, sums))
    return rows


def candle(at: datetime, symbol: str, sums: Row) -> Row:
    """One kline of a minute."""
    return {
        "symbol": symbol, "open_time": at, **{name: sums[name] for name in ("open", "high", "low", "close")},
        "volume": sums["volume_base"], "close_time": at + timedelta(seconds=59, milliseconds=999),
        "quote_volume": sums["volume_quote"], "trades": sums["trade_count"],
        "taker_base_vol": sums["taker_buy_base"], "taker_quote_vol": sums["taker_buy_quote"],
    }  # fmt: skip


def table(rows: Iterable[Row]) -> pa.Table:
    """Klines as an Arrow table, nulls allowed anywhere."""
    return pa.Table.from_pylist(list(rows), schema=pa.schema([pa.field(c.name, c.type) for c in KLINES.columns]))


def write_candles(layout: Layout, rows: list[Row], symbol: str = SOL, interval: str = "1m") -> None:
    """Write klines as `backfill` does."""
    days: dict[Any, list[Row]] = {}
    for row in rows:
        days.setdefault(row["open_time"].date(), []).append(row)
    for day, part in days.items():
        kline_store.write(layout, symbol, interval, day, table(part), "snappy", None)
