"""The market of one symbol: every trade it ever makes, found by time or by id, without drawing the ones in between."""

import threading
from collections import OrderedDict
from typing import TypeVar

import numpy as np

from simulator.blocks import Quotes, Trades, burst_columns, draw_quotes, draw_trades
from simulator.spine import MINUTE_US, MINUTES, Ints, Spine
from simulator.symbols import Listing

_FEW = 20_000
"""A block is an hour while an hour has fewer trades (or quotes) than this, else a minute."""
_LONG = (MINUTES, 240)
"""Minutes of the longer blocks of the past, where so many have as few trades: the fewer blocks, the less to set up."""
_CACHED_ROWS = 400_000


_T = TypeVar("_T", Trades, Quotes)


class Rates:
    """Trades and quotes per second of a symbol of liquidity 1, in the past and in the live session."""

    def __init__(self, past: float, live: float, quotes: float) -> None:
        self.past, self.live, self.quotes = past, live, quotes


class SymbolMarket:
    """All trades and quotes of one symbol: a function of seed, listing, start, live start, rates and bursts.

    Trade ids are consecutive over the whole history; so are aggregate ids. Safe to use from several threads.

    Attributes:
        per_minute: Trades a minute, of past or live session, whichever has more.
    """

    def __init__(self, listing: Listing, seed: int, start_us: int, live_us: int, rates: Rates) -> None:
        self.listing, self._seed, self.start_us, self._live_us, self._rates = listing, seed, start_us, live_us, rates
        self.first_id = 1_000_000 + listing.key % 4_000_000_000
        self.first_aggregate = 500_000 + listing.key % 2_000_000_000
        self._spine = Spine(listing, seed, start_us, live_us, (rates.past, rates.live))
        self._bursts: list[tuple[int, int]] = []
        self._cache: OrderedDict[tuple[str, int], Trades | Quotes] = OrderedDict()
        self._cached_rows = 0
        self._lock = threading.RLock()
        self.per_minute = max(rates.past, rates.live) * listing.liquidity * 60
        self._long = [minutes for minutes in _LONG if rates.past * listing.liquidity * minutes * 60 < _FEW]
        self._past_hours = rates.past * listing.liquidity * 3600 < _FEW
        self._live_hours = max(rates.live, rates.quotes) * listing.liquidity * 3600 < _FEW

    def block_of(self, minute: int) -> tuple[int, int]:
        """Return the first minute of the block that holds ``minute``, and the block's length in minutes."""
        for minutes in self._long:
            first = minute // minutes * minutes
            if self.start_us + (first + minutes) * MINUTE_US <= self._live_us:
                return first, minutes
        hour = minute // 60 * 60
        live = self.start_us + (hour + 60) * MINUTE_US > self._live_us
        return (hour, 60) if (self._live_hours if live else self._past_hours) else (minute, 1)

    def minute_of(self, time_us: int) -> int:
        """Return the minute, counted from the market's start, of a moment."""
        return max(0, (time_us - self.start_us) // MINUTE_US)

    def block(self, minute: int) -> Trades:
        """Return all trades of the block that begins with ``minute`` (as `block_of` gave it)."""
        with self._lock:
            found = self._cached("t", minute)
            if isinstance(found, Trades):
                return found
            _, minutes = self.block_of(minute)
            counts, edges = self._spine.part(minute, minutes)
            start_us = self.start_us + minute * MINUTE_US
            columns = draw_trades(self._seed, self.listing, minute, start_us, counts, edges)
            made = Trades(self._spine.trades_before(minute), self._spine.takers_before(minute), *columns)
            for at_us, count in self._bursts:
                if start_us <= at_us < start_us + minutes * MINUTE_US:
                    made = self._with_burst(made, at_us, count)
            return self._keep("t", minute, made, len(made))

    def quote_block(self, minute: int) -> Quotes:
        """Return all quotes of the block that begins with ``minute``; see `quotes` for which are told."""
        with self._lock:
            found = self._cached("q", minute)
            if isinstance(found, Quotes):
                return found
            _, minutes = self.block_of(minute)
            _, edges = self._spine.part(minute, minutes)
            span = (self.start_us, self.start_us + minute * MINUTE_US, minutes)
            rate = self._rates.quotes * self.listing.liquidity
            made = draw_quotes(self._seed, self.listing, minute, span, rate, edges)
            return self._keep("q", minute, made, len(made.time_us))

    def trades(self, from_us: int, to_us: int, limit: int | None = None) -> list[Trades]:
        """Return the trades with ``from_us <= T < to_us``, at most ``limit``, as parts in order of their ids."""
        parts: list[Trades] = []
        left = limit if limit is not None else 1 << 62
        minute, _ = self.block_of(self.minute_of(from_us))
        while left > 0 and self.start_us + minute * MINUTE_US < to_us:
            block = self.block(minute)
            low, high = np.searchsorted(block.time_us, [from_us, to_us])
            part = block.slice(int(low), min(int(high), int(low) + left))
            if len(part):
                parts.append(part)
                left -= len(part)
            minute += self.block_of(minute)[1]
            if left and minute < self.minute_of(to_us) and not len(block):
                minute = self._next_busy(minute, self.minute_of(to_us))
        return parts

    def quotes(self, from_us: int, to_us: int) -> list[Quotes]:
        """Return the quotes with ``from_us <= time < to_us`` as parts in order; none before the live session."""
        parts: list[Quotes] = []
        from_us = max(from_us, self._live_us)
        minute, _ = self.block_of(self.minute_of(from_us))
        while self.start_us + minute * MINUTE_US < to_us:
            block = self.quote_block(minute)
            low, high = np.searchsorted(block.time_us, [from_us, to_us])
            if low < high:
                parts.append(block.slice(int(low), int(high)))
            minute += self.block_of(minute)[1]
        return parts

    def trades_before(self, time_us: int) -> int:
        """Return how many trades have ``T < time_us``: the index of the first that has not."""
        if time_us <= self.start_us:
            return 0
        block = self.block(self.block_of(self.minute_of(time_us))[0])
        return block.first_id + int(np.searchsorted(block.time_us, time_us))

    def trades_from_index(self, index: int, before_us: int, limit: int) -> list[Trades]:
        """Return up to ``limit`` trades from the trade with this index on, those with ``T < before_us`` only."""
        index = max(index, 0)
        if index >= self.trades_before(before_us):
            return []
        with self._lock:
            minute = self._spine.minute_of_trade(index)
            block = self.block(self.block_of(minute)[0])
        start_us = int(block.time_us[index - block.first_id])
        skip = index - (block.first_id + int(np.searchsorted(block.time_us, start_us)))
        parts = self.trades(start_us, before_us, limit + skip)
        return [parts[0].slice(skip, len(parts[0])), *parts[1:]] if skip < len(parts[0]) else _drop(parts, skip)

    def whole_parts(self, first: int, stop: int, before_us: int) -> list[Trades]:
        """Return the trades with indexes from ``first`` to ``stop`` (exclusive), in parts that split no aggregate."""
        return self.trades_from_index(first, before_us, stop - first)

    def index_of_aggregate(self, aggregate: int) -> int:
        """Return the index of the first trade of the aggregate with this index (0 is the market's first)."""
        with self._lock:
            block = self.block(self.block_of(self._spine.minute_of_taker(max(aggregate, 0)))[0])
        return block.first_id + int(np.searchsorted(block.taker, max(aggregate, 0) - block.first_taker))

    def aggregate_of(self, index: int) -> int:
        """Return the index of the aggregate that holds the trade with this index."""
        with self._lock:
            block = self.block(self.block_of(self._spine.minute_of_trade(index))[0])
        return block.first_taker + int(block.taker[index - block.first_id])

    def last_price(self, index: int) -> int | None:
        """Return the price in ticks of the trade before this index, or None at the market's first."""
        if index <= 0:
            return None
        with self._lock:
            block = self.block(self.block_of(self._spine.minute_of_trade(index - 1))[0])
        return int(block.ticks[index - 1 - block.first_id])

    def counts(self, minute: int) -> int:
        """Return how many trades are made before a minute: the index of the first in or after it."""
        with self._lock:
            return self._spine.trades_before(minute)

    def mark_ticks(self, times_us: Ints) -> Ints:
        """Return the mid price in ticks at the minutes that begin at these times, none before the market's start."""
        minutes = (times_us - self.start_us) // MINUTE_US
        days, place = np.unique(minutes // MINUTES, return_inverse=True)
        with self._lock:
            edges = np.stack([self._spine.day(day).edges for day in days.tolist()])
        mid = np.exp(edges[place, minutes % MINUTES]) * 10**self.listing.tick_decimals
        return np.maximum(np.rint(mid), 1).astype(np.int64)

    def burst(self, at_us: int, count: int) -> None:
        """Put ``count`` more trades into the millisecond of ``at_us``, ahead of everything made so far."""
        with self._lock:
            minute = self.minute_of(at_us)
            self._spine.add(minute, -(-count // 3), count)
            self._bursts.append((at_us, count))
            self._cache.clear()
            self._cached_rows = 0

    def _with_burst(self, made: Trades, at_us: int, count: int) -> Trades:
        place = int(np.searchsorted(made.time_us, at_us // 1000 * 1000 + 500, side="right"))
        # Never between two trades of one taker order: they share their time, so the end of that time is a border.
        last = int(made.ticks[place - 1]) if place else self.last_price(made.first_id) or 100
        more = burst_columns(self._seed, self.listing, at_us, count, last)
        before = int(made.taker[place - 1]) + 1 if place else 0
        moved = made.taker.copy()
        moved[place:] += -(-count // 3)
        old = (made.time_us, made.ticks, made.steps, made.sell, moved)
        new = (*more[:4], more[4] + before)
        joined = [np.concatenate([a[:place], b, a[place:]]) for a, b in zip(old, new, strict=True)]
        return Trades(made.first_id, made.first_taker, *joined)

    def _next_busy(self, minute: int, last: int) -> int:
        """Skip blocks without trades: return the block of the next minute that has one, or a minute after ``last``."""
        with self._lock:
            return max(minute, self.block_of(self._spine.next_busy(minute, last))[0])

    def _cached(self, kind: str, minute: int) -> Trades | Quotes | None:
        found = self._cache.get((kind, minute))
        if found is not None:
            self._cache.move_to_end((kind, minute))
        return found

    def _keep(self, kind: str, minute: int, made: _T, rows: int) -> _T:
        self._cache[kind, minute] = made
        self._cached_rows += rows + 100
        while self._cached_rows > _CACHED_ROWS and len(self._cache) > 2:
            _, old = self._cache.popitem(last=False)
            self._cached_rows -= len(old.time_us) + 100
        return made


def _drop(parts: list[Trades], skip: int) -> list[Trades]:
    kept: list[Trades] = []
    for part in parts:
        if skip < len(part):
            kept.append(part.slice(skip, len(part)))
        skip = max(0, skip - len(part))
    return kept
