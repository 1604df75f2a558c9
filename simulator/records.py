"""Trades, aggregates, quotes and klines as rows of exact text: what the truth port tells and the REST port wraps."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from simulator.blocks import Quotes, Trades
from simulator.candles import BUY_BASE, BUY_QUOTE, CLOSE, COUNT, HIGH, LOW, OPEN, QUOTE, VOLUME
from simulator.market import SymbolMarket


class Trade(NamedTuple):
    """One trade: exchange's id, trade time T (µs), decimal texts, taker sold, aggregate id."""

    id: int
    time_us: int
    price: str
    qty: str
    quote_qty: str
    buyer_is_maker: bool
    aggregate_id: int


class Quote(NamedTuple):
    """One best quote: update id, time made (µs; not on the wire), decimal texts."""

    update_id: int
    time_us: int
    bid: str
    bid_qty: str
    ask: str
    ask_qty: str


class Aggregate(NamedTuple):
    """One aggregate: one taker order's trades at one price and time."""

    id: int
    price: str
    qty: str
    first_id: int
    last_id: int
    time_us: int
    buyer_is_maker: bool


def trade_records(market: SymbolMarket, part: Trades) -> Iterator[Trade]:
    """Yield the trades of a part with the exchange's ids and texts."""
    listing, first = market.listing, market.first_id + part.first_id
    aggregate = market.first_aggregate + part.first_taker
    columns = (part.time_us.tolist(), part.ticks.tolist(), part.steps.tolist(), part.sell.tolist(), part.taker.tolist())
    for place, (time_us, ticks, steps, sell, taker) in enumerate(zip(*columns, strict=True)):
        yield Trade(
            first + place, time_us, listing.price_text(ticks), listing.qty_text(steps),
            listing.quote_text(ticks * steps), sell, aggregate + taker,
        )  # fmt: skip


def quote_records(market: SymbolMarket, part: Quotes) -> Iterator[Quote]:
    """Yield the quotes of a part as texts."""
    listing = market.listing
    columns = (part.update_id, part.time_us, part.bid, part.bid_steps, part.ask, part.ask_steps)
    for update, time_us, bid, bid_steps, ask, ask_steps in zip(*(column.tolist() for column in columns), strict=True):
        texts = (
            listing.price_text(bid),
            listing.qty_text(bid_steps),
            listing.price_text(ask),
            listing.qty_text(ask_steps),
        )
        yield Quote(update, time_us, *texts)


def aggregate_records(market: SymbolMarket, part: Trades) -> Iterator[Aggregate]:
    """Yield the aggregates of a part, which must begin and end with a whole one."""
    if not len(part):
        return
    listing, base = market.listing, market.first_id + part.first_id
    takers, first = np.unique(part.taker, return_index=True)
    last = np.append(first[1:], len(part)) - 1
    steps = np.add.reduceat(part.steps, first).tolist()
    for taker, low, high, quantity in zip(takers.tolist(), first.tolist(), last.tolist(), steps, strict=True):
        yield Aggregate(
            market.first_aggregate + part.first_taker + taker, listing.price_text(int(part.ticks[low])),
            listing.qty_text(quantity), base + low, base + high, int(part.time_us[low]), bool(part.sell[low]),
        )  # fmt: skip


def kline_record(market: SymbolMarket, kline: tuple[int, int, tuple[int, ...]], unit_us: int = 1000) -> list[Any]:
    """Return a kline as the exchange's array of twelve; times in units of ``unit_us`` microseconds."""
    listing, (open_us, next_us, row) = market.listing, kline
    return [
        open_us // unit_us,
        *(listing.price_text(row[column]) for column in (OPEN, HIGH, LOW, CLOSE)),
        listing.qty_text(row[VOLUME]),
        next_us // unit_us - 1,
        listing.quote_text(row[QUOTE]),
        row[COUNT],
        listing.qty_text(row[BUY_BASE]),
        listing.quote_text(row[BUY_QUOTE]),
        "0",
    ]
