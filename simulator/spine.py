"""How many trades each minute of a symbol has, and the price at each minute's edge.

Drawn a day at a time from a key of (seed, symbol, day), so any day is the same in every process, and cheap: 200 days
take some 70 ms. What happens inside a minute is drawn later and only when asked for (`simulator.blocks`).
"""

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.symbols import Listing

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
MINUTES = 1440
SPINE, BLOCK, QUOTES, BURST = range(4)
"""Kinds of random key; see `rng`."""
_DAYS_KEPT = 32
_TRADES_PER_TAKER = 1.7
_MINUTE_VOLATILITY = 0.0006
_SEASON = 1 + 0.35 * np.sin(2 * np.pi * (np.arange(MINUTES) - 600) / MINUTES)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def rng(seed: int, listing: Listing, kind: int, index: int) -> np.random.Generator:
    """Return the random numbers of one block: the same for the same key, whoever asks and in whatever order."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, listing.key, kind, index])))


@dataclass(frozen=True)
class Day:
    """One day's minutes.

    Attributes:
        takers: Taker orders (aggregates) per minute, without those added on order.
        trades: Trades per minute, likewise.
        takers_before: Taker orders of the whole market before each minute and before the day's end: 1441 numbers.
        trades_before: Trades of the whole market, likewise.
        edges: Log price at each minute's start and at the day's end.
    """

    takers: Ints
    trades: Ints
    takers_before: Ints
    trades_before: Ints
    edges: Floats


class Spine:
    """Counts and edge prices by minute (counted from the market's start), known by whole days as they are asked for.

    Of a day only its totals are kept; its minutes are drawn again when they are needed: 200 days would be 13 MB a pair.
    """

    def __init__(self, listing: Listing, seed: int, start_us: int, live_us: int, rates: tuple[float, float]) -> None:
        self._listing, self._seed, self._rates = listing, seed, rates
        self._live_minute = (live_us - start_us) // MINUTE_US
        self._takers, self._trades = [0], [0]
        self._log_prices = [float(np.log(listing.price))]
        self._extra: dict[int, tuple[int, int]] = {}
        self._days: OrderedDict[int, Day] = OrderedDict()

    def day(self, number: int) -> Day:
        """Return a day's minutes."""
        found = self._days.get(number)
        if found is not None:
            self._days.move_to_end(number)
            return found
        while len(self._trades) <= number + 1:
            self._append(*self._counts(len(self._trades) - 1))
        takers, trades, edges = self._counts(number)
        all_takers, all_trades = self._with_extra(number, takers, trades)
        found = self._days[number] = Day(
            takers,
            trades,
            self._takers[number] + np.concatenate([[0], np.cumsum(all_takers)]),
            self._trades[number] + np.concatenate([[0], np.cumsum(all_trades)]),
            edges,
        )
        if len(self._days) > _DAYS_KEPT:
            self._days.popitem(last=False)
        return found

    def trades_before(self, minute: int) -> int:
        """Return how many trades the market makes before a minute."""
        return int(self.day(minute // MINUTES).trades_before[minute % MINUTES])

    def takers_before(self, minute: int) -> int:
        """Return how many taker orders the market makes before a minute."""
        return int(self.day(minute // MINUTES).takers_before[minute % MINUTES])

    def part(self, minute: int, minutes: int) -> tuple[tuple[Ints, Ints], Floats]:
        """Return takers and trades per minute, and the prices at the edges, of some minutes of one day."""
        day, first = self.day(minute // MINUTES), minute % MINUTES
        part = slice(first, first + minutes)
        return (day.takers[part], day.trades[part]), day.edges[first : first + minutes + 1]

    def add(self, minute: int, takers: int, trades: int) -> None:
        """Add trades to a minute on order; every later id moves up."""
        self.day(minute // MINUTES)
        before = self._extra.get(minute, (0, 0))
        self._extra[minute] = (before[0] + takers, before[1] + trades)
        for later in range(minute // MINUTES + 1, len(self._trades)):
            self._takers[later] += takers
            self._trades[later] += trades
        self._days.clear()

    def minute_of_trade(self, index: int) -> int:
        """Return the minute that holds the trade with this index (0 is the market's first)."""
        while index >= self._trades[-1]:
            self.day(len(self._trades) - 1)
        number = bisect_right(self._trades, index) - 1
        return number * MINUTES + int(np.searchsorted(self.day(number).trades_before, index, side="right")) - 1

    def minute_of_taker(self, index: int) -> int:
        """Return the minute that holds the aggregate with this index."""
        while index >= self._takers[-1]:
            self.day(len(self._takers) - 1)
        number = bisect_right(self._takers, index) - 1
        return number * MINUTES + int(np.searchsorted(self.day(number).takers_before, index, side="right")) - 1

    def next_busy(self, minute: int, last: int) -> int:
        """Return the first minute from ``minute`` on that has a trade, or ``last + 1`` where none has until then."""
        index = self.trades_before(minute)
        if index >= self.trades_before(last + 1):
            return last + 1
        return self.minute_of_trade(index)

    def _counts(self, number: int) -> tuple[Ints, Ints, Floats]:
        random = rng(self._seed, self._listing, SPINE, number)
        past, live = self._rates
        minutes = np.arange(number * MINUTES, (number + 1) * MINUTES)
        rate = np.where(minutes < self._live_minute, past, live) * self._listing.liquidity
        mood = random.gamma(2.0, 0.5, MINUTES)
        takers = random.poisson(rate * 60 / _TRADES_PER_TAKER * _SEASON * mood).astype(np.int64)
        trades = takers + random.poisson(takers * (_TRADES_PER_TAKER - 1))
        begin = self._log_prices[number]
        steps = random.normal(0, _MINUTE_VOLATILITY, MINUTES) * np.sqrt(mood)
        edges = np.concatenate([[begin], begin + np.cumsum(steps)])
        # Pulled gently towards the first price, so that a market of years stays within its tick size's reach.
        edges[-1] += 0.01 * (self._log_prices[0] - edges[-1])
        return takers, trades.astype(np.int64), edges

    def _append(self, takers: Ints, trades: Ints, edges: Floats) -> None:
        self._takers.append(self._takers[-1] + int(takers.sum()))
        self._trades.append(self._trades[-1] + int(trades.sum()))
        self._log_prices.append(float(edges[-1]))

    def _with_extra(self, number: int, takers: Ints, trades: Ints) -> tuple[Ints, Ints]:
        added = {minute: extra for minute, extra in self._extra.items() if minute // MINUTES == number}
        if added:
            takers, trades = takers.copy(), trades.copy()
            for minute, (more_takers, more_trades) in added.items():
                takers[minute % MINUTES] += more_takers
                trades[minute % MINUTES] += more_trades
        return takers, trades
