"""Perpetual contracts: what funding each paid and how much of it was open, a function of seed, pair and time.

Drawn by moment and by day from keys of their own, so that they change nothing in the spot market and 200 days cost
some milliseconds. The mark price is the spot market's mid price at that minute.
"""

from typing import NamedTuple

import numpy as np

from simulator.market import SymbolMarket
from simulator.spine import DAY_US, MINUTE_US, Ints, rng

FUNDING_US = 8 * 60 * MINUTE_US
"""Funding is paid at 00, 08 and 16 UTC."""
GRID_US = 5 * MINUTE_US
"""Open interest is known at every fifth minute."""
_SLOTS = DAY_US // GRID_US
_FUNDING_KEY, _INTEREST_KEY = 20, 21
_USUAL_RATE = 0.0001
_MOST_RATE = 0.003
_OPEN_TRADES = 40_000
"""Open interest of a pair of liquidity 1, in trades of mean size."""
_STEP, _PULL = 0.0012, 0.05


class Funding(NamedTuple):
    """One funding: symbol, when it was paid (µs, whole ms, at most 17 ms late), rate and mark price as texts."""

    symbol: str
    time_us: int
    rate: str
    mark_price: str


class OpenInterest(NamedTuple):
    """Open interest at one moment of the grid (µs): in base and in quote, as texts of eight decimals."""

    symbol: str
    time_us: int
    amount: str
    value: str


class Contract:
    """The perpetual contract on one pair; nothing before the pair's own market begins."""

    def __init__(self, market: SymbolMarket, seed: int) -> None:
        self._market, self._seed = market, seed
        self._first_day = market.start_us // DAY_US
        self._walk = [0.0]
        self._fundings: dict[int, Funding] = {}

    def fundings(self, from_us: int, to_us: int) -> list[Funding]:
        """Return the fundings paid in ``from_us <= time < to_us``, in order."""
        first = max(from_us - FUNDING_US // 2, self._market.start_us)
        found = [self._funding(number) for number in range(-(-first // FUNDING_US), -(-to_us // FUNDING_US))]
        return [funding for funding in found if from_us <= funding.time_us < to_us]

    def open_interests(self, from_us: int, to_us: int, period_us: int = GRID_US) -> list[OpenInterest]:
        """Return the open interest at each multiple of ``period_us`` in ``from_us <= time < to_us``, in order."""
        first = -(-max(from_us, self._market.start_us) // period_us) * period_us
        times = np.arange(first, max(to_us, first), period_us, dtype=np.int64)
        if not len(times):
            return []
        listing, marks = self._market.listing, self._market.mark_ticks(times).tolist()
        amounts = self._amounts(times).tolist()
        return [
            OpenInterest(listing.symbol, time_us, listing.qty_text(steps), listing.quote_text(ticks * steps))
            for time_us, ticks, steps in zip(times.tolist(), marks, amounts, strict=True)
        ]

    def _funding(self, number: int) -> Funding:
        found = self._fundings.get(number)
        if found is None:
            listing, due_us = self._market.listing, number * FUNDING_US
            random = rng(self._seed, listing, _FUNDING_KEY, number)
            late_ms = 0 if random.random() < 0.4 else int(random.integers(1, 18))
            moved = 0.0 if random.random() < 0.3 else float(random.normal(0, 0.00012))
            rate = min(max(_USUAL_RATE + moved, -_MOST_RATE), _MOST_RATE)
            mark = int(self._market.mark_ticks(np.array([due_us]))[0])
            found = Funding(listing.symbol, due_us + late_ms * 1000, f"{rate:.8f}", listing.price_text(mark))
            self._fundings[number] = found
        return found

    def _amounts(self, times: Ints) -> Ints:
        """Return the open interest in lot steps: a slow walk, drawn a day at a time."""
        listing = self._market.listing
        days = range(int(times[0]) // DAY_US, int(times[-1]) // DAY_US + 1)
        walk = np.concatenate([self._day(day) for day in days])
        usual = listing.liquidity * _OPEN_TRADES * listing.notional / listing.price * 10**listing.step_decimals
        logs = walk[(times - days[0] * DAY_US) // GRID_US]
        return np.maximum(np.rint(usual * np.exp(logs)), 1).astype(np.int64)

    def _day(self, day: int) -> "np.typing.NDArray[np.float64]":
        number = day - self._first_day
        while len(self._walk) <= number:
            self._walk.append((1 - _PULL) * float(self._steps(len(self._walk) - 1)[-1]))
        return self._steps(number)[:-1]

    def _steps(self, number: int) -> "np.typing.NDArray[np.float64]":
        random = rng(self._seed, self._market.listing, _INTEREST_KEY, number)
        return np.concatenate([[0.0], np.cumsum(random.normal(0, _STEP, _SLOTS))]) + self._walk[number]
