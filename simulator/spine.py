"""How many trades each minute of a symbol has, and the price at each minute's edge.

Drawn a day at a time from a key of (seed, symbol, day), so any day is the same in every process, and cheap: 200 days take
some 50 ms. What happens inside a minute is drawn later and only when asked for (`simulator.blocks`).
"""

import numpy as np
from numpy.typing import NDArray

from simulator.symbols import Listing

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
MINUTES = 1440
SPINE, BLOCK, QUOTES, BURST = range(4)
"""Kinds of random key; see `rng`."""
_TRADES_PER_TAKER = 1.7
_MINUTE_VOLATILITY = 0.0006
_SEASON = 1 + 0.35 * np.sin(2 * np.pi * (np.arange(MINUTES) - 600) / MINUTES)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def rng(seed: int, listing: Listing, kind: int, index: int) -> np.random.Generator:
    """Return the random numbers of one block: the same for the same key, whoever asks and in whatever order."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, listing.key, kind, index])))


class Spine:
    """Counts and edge prices by minute, growing by whole days as they are asked for.

    Attributes:
        takers: Taker orders (aggregates) per minute, from the market's first minute.
        trades: Trades per minute.
        trades_before: Trades before each minute; one longer than ``trades``.
        takers_before: Taker orders before each minute.
        edges: Log price at each minute's start; one longer than ``trades``.
    """

    def __init__(self, listing: Listing, seed: int, start_us: int, live_us: int, rates: tuple[float, float]) -> None:
        self._listing, self._seed, self._rates = listing, seed, rates
        self._live_minute = (live_us - start_us) // MINUTE_US
        self._days: list[tuple[Ints, Ints, Floats]] = []
        self._log_price = float(np.log(listing.price))
        self._extra: dict[int, tuple[int, int]] = {}
        self._index()

    def reach(self, minute: int) -> None:
        """Make sure that ``minute`` (counted from the market's start) is known."""
        need = minute // MINUTES + 1
        if need <= len(self._days):
            return
        while len(self._days) < need:
            self._days.append(self._draw(len(self._days)))
        self._index()

    def add(self, minute: int, takers: int, trades: int) -> None:
        """Add trades to a minute on order; every later id moves up."""
        self.reach(minute)
        before = self._extra.get(minute, (0, 0))
        self._extra[minute] = (before[0] + takers, before[1] + trades)
        self._index()

    def minute_of_trade(self, index: int) -> int:
        """Return the minute that holds the trade with this index (0 is the market's first)."""
        while index >= self.trades_before[-1]:
            self.reach(len(self._days) * MINUTES)
        return int(np.searchsorted(self.trades_before, index, side="right")) - 1

    def minute_of_taker(self, index: int) -> int:
        """Return the minute that holds the aggregate with this index."""
        while index >= self.takers_before[-1]:
            self.reach(len(self._days) * MINUTES)
        return int(np.searchsorted(self.takers_before, index, side="right")) - 1

    def _draw(self, day: int) -> tuple[Ints, Ints, Floats]:
        random = rng(self._seed, self._listing, SPINE, day)
        past, live = self._rates
        minutes = np.arange(day * MINUTES, (day + 1) * MINUTES)
        rate = np.where(minutes < self._live_minute, past, live) * self._listing.liquidity
        mood = random.gamma(2.0, 0.5, MINUTES)
        takers = random.poisson(rate * 60 / _TRADES_PER_TAKER * _SEASON * mood).astype(np.int64)
        trades = takers + random.poisson(takers * (_TRADES_PER_TAKER - 1))
        steps = random.normal(0, _MINUTE_VOLATILITY, MINUTES) * np.sqrt(mood)
        edges = self._log_price + np.cumsum(steps)
        # Pulled gently towards the first price, so that a market of years stays within its tick size's reach.
        self._log_price = float(edges[-1] + 0.01 * (np.log(self._listing.price) - edges[-1]))
        edges[-1] = self._log_price
        return takers, trades.astype(np.int64), edges

    def _index(self) -> None:
        none = np.zeros(0, np.int64)
        self.takers = np.concatenate([none, *(day[0] for day in self._days)])
        self.trades = np.concatenate([none, *(day[1] for day in self._days)])
        self.edges = np.concatenate([[np.log(self._listing.price)], *(day[2] for day in self._days)])
        takers, trades = self.takers.copy(), self.trades.copy()
        for minute, (more_takers, more_trades) in self._extra.items():
            takers[minute] += more_takers
            trades[minute] += more_trades
        self.takers_before = np.concatenate([[0], np.cumsum(takers)])
        self.trades_before = np.concatenate([[0], np.cumsum(trades)])
