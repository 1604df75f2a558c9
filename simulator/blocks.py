"""The trades and quotes inside one block of minutes, drawn from the block's own key."""

from dataclasses import dataclass

import numpy as np

from simulator.spine import BURST, MINUTE_US, QUOTES, Floats, Ints, rng
from simulator.symbols import Listing

_KNOTS = 20
"""Points per minute through which the price path runs."""
_CLUSTERS = 1.2
"""Distinct moments per taker order: with several trades per order, most trades share their millisecond with another."""
_QUOTE_SLOT_US = 50
"""Quotes are at least this far apart, and an update id stands for one slot: increasing, with holes."""


@dataclass(frozen=True)
class Trades:
    """Trades of one symbol in order of their ids, as columns.

    Attributes:
        first_id: Index of the first trade from the market's first (not yet the exchange's id).
        first_taker: Index of the first aggregate.
        time_us: Trade time T, microseconds since 1970 UTC; never decreases.
        ticks: Price in ticks.
        steps: Quantity in lot steps.
        sell: True where the taker sold (the buyer is the maker, the exchange's ``m``).
        taker: Position of the trade's aggregate, 0 for ``first_taker``.
    """

    first_id: int
    first_taker: int
    time_us: Ints
    ticks: Ints
    steps: Ints
    sell: "np.typing.NDArray[np.bool_]"
    taker: Ints

    def __len__(self) -> int:
        return len(self.time_us)

    def slice(self, low: int, high: int) -> "Trades":
        """Return the trades at positions ``low`` to ``high`` (exclusive)."""
        low, high = max(low, 0), min(high, len(self))
        if low >= high:
            none = self.time_us[:0]
            return Trades(self.first_id + low, self.first_taker, none, none, none, self.sell[:0], none)
        first = int(self.taker[low])
        part = slice(low, high)
        return Trades(
            self.first_id + low, self.first_taker + first, self.time_us[part], self.ticks[part], self.steps[part],
            self.sell[part], self.taker[part] - first,
        )  # fmt: skip


@dataclass(frozen=True)
class Quotes:
    """Best quotes of one symbol in order, as columns: update id, time in µs, prices in ticks, sizes in lot steps."""

    update_id: Ints
    time_us: Ints
    bid: Ints
    bid_steps: Ints
    ask: Ints
    ask_steps: Ints

    def slice(self, low: int, high: int) -> "Quotes":
        """Return the quotes at positions ``low`` to ``high`` (exclusive)."""
        part = slice(low, high)
        return Quotes(
            self.update_id[part],
            self.time_us[part],
            self.bid[part],
            self.bid_steps[part],
            self.ask[part],
            self.ask_steps[part],
        )


def path(seed: int, listing: Listing, block: int, edges: Floats) -> Floats:
    """Return the mid price in ticks at `_KNOTS` points per minute: a walk tied to the minutes' edge prices."""
    random = rng(seed, listing, 9, block)
    minutes = len(edges) - 1
    steps = random.normal(0, 0.00005, (minutes, _KNOTS))
    walk = np.cumsum(steps, axis=1)
    share = np.arange(1, _KNOTS + 1) / _KNOTS
    bridge = walk - walk[:, -1:] * share
    line = edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * share
    knots = np.concatenate([[edges[0]], (line + bridge).ravel()])
    return np.asarray(np.maximum(np.exp(knots) * 10**listing.tick_decimals, 3.0), np.float64)


def _at(knots: Floats, offset_us: Ints) -> Floats:
    return np.asarray(np.interp(offset_us * (_KNOTS / MINUTE_US), np.arange(len(knots)), knots), np.float64)


def draw_trades(
    seed: int, listing: Listing, block: int, start_us: int, counts: tuple[Ints, Ints], edges: Floats
) -> tuple[Ints, Ints, Ints, "np.typing.NDArray[np.bool_]", Ints]:
    """Return time, ticks, steps, sell and taker columns of a block with so many takers and trades per minute."""
    takers, trades = counts
    random = rng(seed, listing, 1, block)
    total = int(takers.sum())
    minute = np.repeat(np.arange(len(takers)), takers)
    groups = np.maximum(1, (takers * _CLUSTERS).astype(np.int64))
    first_group = np.cumsum(groups) - groups
    centres = random.integers(0, MINUTE_US - 2_000, int(groups.sum()))
    chosen = first_group[minute] + (random.random(total) * groups[minute]).astype(np.int64)
    late = random.exponential(250.0, total).astype(np.int64)
    offset = minute * MINUTE_US + np.minimum(centres[chosen] + late, MINUTE_US - 1)
    # Sorting numbers that carry their place is a stable argsort at half its price.
    order = np.sort(offset * total + np.arange(total)) % max(total, 1)
    offset, side_of = offset[order], chosen[order]
    sell = (random.random(int(groups.sum())) < 0.5)[side_of]
    knots = path(seed, listing, block, edges)
    mid = _at(knots, offset)
    swept = random.geometric(0.7, total) - 1
    ticks = np.where(sell, np.floor(mid) - swept, np.floor(mid) + 1 + swept).astype(np.int64)
    size = random.lognormal(-0.7, 1.2, int(trades.sum())) * listing.notional * 10.0**listing.step_decimals
    spans = _spans(random, takers, trades, minute)
    taker = np.repeat(np.arange(total), spans)
    ticks = np.maximum(ticks, 1)
    steps = np.maximum(size / (ticks[taker] / 10.0**listing.tick_decimals), 1.0).astype(np.int64)
    return start_us + offset[taker], ticks[taker], steps, sell[taker], taker


def _spans(random: np.random.Generator, takers: Ints, trades: Ints, minute: Ints) -> Ints:
    """Return how many trades each taker order spans: one each, and the minute's rest spread at random."""
    rest = trades - takers
    first = np.cumsum(takers) - takers
    of_minute = np.repeat(np.arange(len(takers)), rest)
    lucky = first[of_minute] + (random.random(len(of_minute)) * takers[of_minute]).astype(np.int64)
    return 1 + np.bincount(lucky, minlength=len(minute)).astype(np.int64)


def draw_quotes(
    seed: int, listing: Listing, block: int, span: tuple[int, int, int], rate: float, edges: Floats
) -> Quotes:
    """Return the quotes of a block.

    Args:
        seed: The market's seed.
        listing: The pair.
        block: The block's number, part of its random key.
        span: The market's first moment and the block's, both µs since 1970 UTC, and the block's minutes.
        rate: Quotes per second.
        edges: Log prices at the edges of the block's minutes.
    """
    origin_us, start_us, minutes = span
    random = rng(seed, listing, QUOTES, block)
    count = int(random.poisson(rate * 60 * minutes))
    slot = np.unique(random.integers(0, minutes * MINUTE_US // _QUOTE_SLOT_US, count))
    offset = slot * _QUOTE_SLOT_US
    mid = _at(path(seed, listing, block, edges), offset)
    bid = np.maximum(np.floor(mid) - random.integers(0, 2, len(slot)), 1).astype(np.int64)
    ask = bid + 1 + (random.random(len(slot)) < 0.3)
    unit = listing.notional * 12 * 10.0**listing.step_decimals / (mid / 10.0**listing.tick_decimals)
    sizes = np.maximum(random.lognormal(0, 0.8, (2, len(slot))) * unit, 1).astype(np.int64)
    time_us = start_us + offset
    return Quotes(1_000_000_000 + (time_us - origin_us) // _QUOTE_SLOT_US, time_us, bid, sizes[0], ask, sizes[1])


def burst_columns(
    seed: int, listing: Listing, at_us: int, count: int, last_ticks: int
) -> tuple[Ints, Ints, Ints, "np.typing.NDArray[np.bool_]", Ints]:
    """Return the columns of ``count`` trades in one millisecond: buyers, three trades each, price rising."""
    random = rng(seed, listing, BURST, at_us)
    taker = np.arange(count) // 3
    unit = listing.notional * 10.0**listing.step_decimals / max(last_ticks, 1) * 10.0**listing.tick_decimals
    steps = np.maximum(random.lognormal(-0.7, 1.0, count) * unit, 1).astype(np.int64)
    time_us = np.full(count, at_us // 1000 * 1000 + 500)
    return time_us, last_ticks + 1 + taker // 20, steps, np.zeros(count, bool), taker
