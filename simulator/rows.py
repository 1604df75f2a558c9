"""Whole tables of klines and trades as text, a template for a row and one formatting for all rows.

The exchange writes every price and amount with eight decimals. Formatting value by value takes some 10 µs a kline,
this some 2 µs; the figures are the same integers, so the texts are the same.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from simulator.blocks import Trades
from simulator.candles import BUY_BASE, BUY_QUOTE, CLOSE, COUNT, HIGH, LOW, OPEN, QUOTE, VOLUME, Table
from simulator.market import SymbolMarket
from simulator.spine import Ints
from simulator.symbols import SCALE, Listing

_JSON = '[%d,"{p}","{p}","{p}","{p}","{b}",%d,"{q}",%d,"{b}","{q}","0"],'
_CSV = "%d,{p},{p},{p},{p},{b},%d,{q},%d,{b},{q},0\n"
_TRADE = "%d,{p},{b},{q},%d,%s,True\n"
_AGGREGATE = "%d,{p},{b},%d,%d,%d,%s,True\n"
_TRUTH = ("False", "True")


def kline_json(listing: Listing, table: Table, unit_us: int) -> str:
    """Return klines as the JSON list of arrays that REST answers with; times in units of ``unit_us`` µs."""
    return f"[{_klines(_JSON, listing, table, unit_us)[:-1]}]"


def kline_csv(listing: Listing, table: Table, unit_us: int) -> str:
    """Return klines as the archive's lines: open time, open, high, low, close, volume, close time, quote volume, …."""
    return _klines(_CSV, listing, table, unit_us)


def trade_csv(market: SymbolMarket, part: Trades, unit_us: int) -> str:
    """Return trades as the archive's lines: id, price, qty, quoteQty, time, isBuyerMaker, isBestMatch."""
    listing = market.listing
    first = market.first_id + part.first_id
    columns = [
        range(first, first + len(part)), *_split(part.ticks, listing.tick_decimals),
        *_split(part.steps, listing.step_decimals),
        *_split(part.ticks * part.steps, listing.tick_decimals + listing.step_decimals),
        (part.time_us // unit_us).tolist(), _booleans(part.sell),
    ]  # fmt: skip
    return _filled(_template(_TRADE, listing), columns, len(part))


def aggregate_csv(market: SymbolMarket, part: Trades, unit_us: int) -> str:
    """Return the aggregates of a part that splits none: aggId, price, qty, firstId, lastId, time, maker, best match."""
    listing = market.listing
    takers, first = np.unique(part.taker, return_index=True)
    if not len(first):
        return ""
    base, last = market.first_id + part.first_id, np.append(first[1:], len(part)) - 1
    columns = [
        (takers + market.first_aggregate + part.first_taker).tolist(),
        *_split(part.ticks[first], listing.tick_decimals),
        *_split(np.add.reduceat(part.steps, first), listing.step_decimals),
        (first + base).tolist(), (last + base).tolist(), (part.time_us[first] // unit_us).tolist(),
        _booleans(part.sell[first]),
    ]  # fmt: skip
    return _filled(_template(_AGGREGATE, listing), columns, len(first))


def _klines(template: str, listing: Listing, table: Table, unit_us: int) -> str:
    rows, price, base = table.rows, listing.tick_decimals, listing.step_decimals
    columns = [
        (table.open_us // unit_us).tolist(),
        *chain.from_iterable(_split(rows[:, column], price) for column in (OPEN, HIGH, LOW, CLOSE)),
        *_split(rows[:, VOLUME], base), (table.next_us // unit_us - 1).tolist(),
        *_split(rows[:, QUOTE], price + base), rows[:, COUNT].tolist(),
        *_split(rows[:, BUY_BASE], base), *_split(rows[:, BUY_QUOTE], price + base),
    ]  # fmt: skip
    return _filled(_template(template, listing), columns, len(table))


def _template(row: str, listing: Listing) -> str:
    price, base = listing.tick_decimals, listing.step_decimals
    return row.format(p=_decimal(price), b=_decimal(base), q=_decimal(price + base))


def _decimal(decimals: int) -> str:
    zeros = "0" * (SCALE - decimals)
    return f"%d.%0{decimals}d{zeros}" if decimals else f"%d.{zeros}"


def _split(units: Ints, decimals: int) -> list[list[int]]:
    """Return the whole part of decimal numbers and, where they have one, their fraction."""
    if not decimals:
        return [units.tolist()]
    whole, part = np.divmod(units, 10**decimals)
    return [whole.tolist(), part.tolist()]


def _booleans(values: Iterable[Any]) -> list[str]:
    return [_TRUTH[value] for value in np.asarray(values).tolist()]


def _filled(template: str, columns: list[Any], count: int) -> str:
    return template * count % tuple(chain.from_iterable(zip(*columns, strict=True)))
