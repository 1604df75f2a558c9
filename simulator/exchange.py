"""All listed pairs and the one clock: what has been made so far, and nothing that is still to come."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simulator.candles import Candles, Table
from simulator.contracts import GRID_US, Contract, Funding, OpenInterest
from simulator.faults import Fault, Faults
from simulator.market import Rates, SymbolMarket
from simulator.records import Quote, Trade, quote_records, trade_records
from simulator.spine import DAY_US, MINUTE_US
from simulator.symbols import DEFAULT_SYMBOLS, Listing, listings

HISTORY_DAYS = 200
_PAGE = 10_000
"""Klines looked at at once to cross a hole: one by one, a hole of 20 days before the one row asked took a minute."""


def wall_clock() -> int:
    """Return the time in µs since 1970 UTC."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Plan:
    """What market to make; the same plan makes the same market.

    Attributes:
        symbols: Pairs, in capitals.
        seed: Any number ≥ 0.
        start_us: The first moment of the market, µs since 1970 UTC; default 200 days before the live session's UTC day.
        live_us: From here on ``rate`` holds instead of ``history_rate``; default the hour in which the exchange opens.
        rate: Trades per second of a pair of liquidity 1, in the live session.
        quote_rate: Best quotes per second; default four times ``rate``.
        history_rate: Trades per second before the live session; default ``rate``, at most 1.
    """

    symbols: tuple[str | Listing, ...] = DEFAULT_SYMBOLS
    seed: int = 0
    start_us: int | None = None
    live_us: int | None = None
    rate: float = 1.0
    quote_rate: float | None = None
    history_rate: float | None = None

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed {self.seed}: expected a number from 0 up")
        for name in ("rate", "quote_rate", "history_rate"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 2000:
                raise ValueError(f"{name} {value}: expected events per second, more than 0 and at most 2000")


class Exchange:
    """The markets of all pairs behind one clock.

    Attributes:
        markets: `SymbolMarket` by symbol.
        candles: `Candles` by symbol.
        contracts: `Contract` by symbol, of the pairs that have one.
        start_us: The market's first moment; ``live_us`` the live session's; ``opened_us`` when this object was made.
    """

    def __init__(self, plan: Plan, clock: Callable[[], int] = wall_clock) -> None:
        self._clock = clock
        now = clock()
        day = now // DAY_US * DAY_US
        start = plan.start_us if plan.start_us is not None else day - HISTORY_DAYS * DAY_US
        start = start // MINUTE_US * MINUTE_US
        live = plan.live_us if plan.live_us is not None else now // (60 * MINUTE_US) * 60 * MINUTE_US
        live = max(live // MINUTE_US * MINUTE_US, start)
        rates = Rates(
            plan.history_rate if plan.history_rate is not None else min(plan.rate, 1.0),
            plan.rate,
            plan.quote_rate if plan.quote_rate is not None else 4 * plan.rate,
        )
        self.plan, self.start_us, self.live_us, self.opened_us = plan, start, live, now
        self.markets = {}
        for name, listing in listings(plan.symbols).items():
            begin = max(start, -(-(listing.listed_us or 0) // MINUTE_US) * MINUTE_US)
            self.markets[name] = SymbolMarket(listing, plan.seed, begin, max(live, begin), rates)
        self.candles = {name: Candles(market) for name, market in self.markets.items()}
        self.contracts = {
            name: Contract(market, plan.seed) for name, market in self.markets.items() if market.listing.perpetual
        }
        self.weight_limit = 6000
        self._faults: Faults | None = None
        self._stops: dict[str, int] = {}
        self._horizon = now
        self._paused = False

    def now_us(self) -> int:
        """Return the exchange's own time in µs, without any skew a fault has ordered."""
        return self._clock()

    def server_us(self) -> int:
        """Return the time the exchange claims to have."""
        skews = self._faults.active("clock_skew") if self._faults else []
        return self._clock() + sum(
            int(f.parameters["offset_ms"]) * 1000 for f in skews if "time" in f.parameters["fields"]
        )

    def follow(self, faults: Faults) -> None:
        """Heed these faults: pairs newly delisted make no more trades from now on, those no longer delisted go on."""
        self._faults = faults
        delisted = {name for name in self.markets if self.delisting(name)}
        self._stops = {name: self._stops.get(name, self._horizon) for name in delisted}

    def listed(self, symbol: str) -> bool:
        """Whether there is such a pair, and its market has begun."""
        return symbol in self.markets and self.markets[symbol].start_us <= self._horizon

    def delisting(self, symbol: str) -> str | None:
        """Return how REST treats a delisted pair (``error``, ``empty`` or ``history``), or None where it is listed."""
        for fault in self._faults.active("delisting") if self._faults else []:
            if not fault.symbols or symbol in fault.symbols:
                return str(fault.parameters["rest"])
        return None

    def gaps(self, symbol: str, path: str, from_us: int, to_us: int) -> list[tuple[int, int]]:
        """Return the spans (from, to), µs, whose klines a fault leaves out of an answer about ``from_us`` to ``to_us``.

        Each is a hit.
        """
        faults = self._faults
        return [
            (int(fault.parameters["from_us"]), int(fault.parameters["to_us"]))
            for fault in (faults.active("missing_klines") if faults else [])
            if fault.covers(path, {symbol}) and fault.parameters["from_us"] <= to_us
            and from_us < fault.parameters["to_us"] and faults is not None and faults.hit(fault)
        ]  # fmt: skip

    def shifts(self, symbol: str, path: str) -> list[tuple[int, int, int]]:
        """Return the spans (from, to), µs, whose klines a fault has open later, and how much later. Each is a hit."""
        faults = self._faults
        return [
            (int(fault.parameters["from_us"]), int(fault.parameters["to_us"]), int(fault.parameters["later_ms"]) * 1000)
            for fault in (faults.active("off_grid") if faults else [])
            if fault.covers(path, {symbol}) and faults is not None and faults.hit(fault)
        ]

    def oddities(self, path: str, symbol: str) -> list[Fault]:
        """Return the faults that make rows of a REST answer odd. Each is a hit."""
        faults = self._faults
        return [
            fault for fault in (faults.active("odd_klines") if faults else [])
            if fault.covers(path, {symbol}) and faults is not None and faults.hit(fault)
        ]  # fmt: skip

    def stopped(self, symbol: str) -> bool:
        """Whether a pair is delisted, so that its streams are silent."""
        return bool(self._stops) and symbol in self._stops and self.delisting(symbol) is not None

    def made_until(self, symbol: str) -> int:
        """Return the moment, µs, before which the trades of a pair have been made."""
        return min(self._horizon, self._stops[symbol]) if self.stopped(symbol) else self._horizon

    @property
    def horizon_us(self) -> int:
        """Trades with T before this have been made; later ones do not exist yet."""
        return self._horizon

    def advance(self, most_us: int) -> tuple[int, int]:
        """Make trades up to now, ``most_us`` at most: return the span (from, to) of what is new; empty while paused."""
        before = self._horizon
        if not self._paused:
            self._horizon = max(before, min(self._clock(), before + most_us))
        return before, self._horizon

    def pause(self) -> None:
        """Make no more trades and quotes, so that the truth stands still."""
        self._paused = True

    def resume(self) -> None:
        """Go on: what the pause held back is made and sent at once, with the times it would have had."""
        self._paused = False

    def market(self, symbol: str) -> SymbolMarket:
        """Return a pair's market.

        Raises:
            KeyError: No such pair; the message lists those there are.
        """
        if symbol not in self.markets:
            raise KeyError(f"symbol {symbol!r}: not listed; there are {', '.join(self.markets)}")
        return self.markets[symbol]

    def trades(
        self, symbol: str, from_us: int | None = None, to_us: int | None = None, limit: int | None = None
    ) -> list[Trade]:
        """Return the trades made with ``from_us <= T < to_us`` (default: since the exchange opened), in order."""
        market = self.market(symbol)
        low = self.opened_us if from_us is None else from_us
        high = min(self.made_until(symbol), to_us if to_us is not None else self._horizon)
        return [record for part in market.trades(low, high, limit) for record in trade_records(market, part)]

    def quotes(self, symbol: str, from_us: int | None = None, to_us: int | None = None) -> list[Quote]:
        """Return the best quotes made with ``from_us <= time < to_us`` (default: since the exchange opened)."""
        market = self.market(symbol)
        low = self.opened_us if from_us is None else from_us
        high = min(self.made_until(symbol), to_us if to_us is not None else self._horizon)
        return [record for part in market.quotes(low, high) for record in quote_records(market, part)]

    def klines(
        self, symbol: str, interval: str, from_us: int | None = None, until_us: int | None = None, limit: int = 1 << 40,
        offset_us: int = 0,
    ) -> list[tuple[int, int, tuple[int, ...]]]:  # fmt: skip
        """Return klines as `Candles.klines` does, of what has been made so far; default the whole history."""
        self.market(symbol)
        horizon = self.made_until(symbol)
        low = self.start_us if from_us is None else from_us
        high = horizon if until_us is None else until_us
        return self.candles[symbol].klines(interval, low, high, horizon, limit, offset_us)

    def table(
        self, symbol: str, interval: str, from_us: int, until_us: int, limit: int = 1 << 40, offset_us: int = 0,
        gaps: Sequence[tuple[int, int]] = (), shifts: Sequence[tuple[int, int, int]] = (),
    ) -> Table:  # fmt: skip
        """Return klines as `Candles.table` does, of what has been made so far, without ``gaps`` and with ``shifts``."""
        if shifts:
            most = max(later for _, _, later in shifts)
            whole = self.table(symbol, interval, from_us - most, until_us, offset_us=offset_us, gaps=gaps)
            return whole.shifted(shifts).between(from_us, until_us, limit)
        candles, horizon = self.candles[symbol], self.made_until(symbol)
        rows = max(limit, _PAGE) if gaps else limit
        page = candles.table(interval, from_us, until_us, horizon, rows, offset_us)
        found = page.outside(gaps)
        while gaps and len(found) < limit and len(page) == rows:
            page = candles.table(interval, int(page.next_us[-1]), until_us, horizon, rows, offset_us)
            found = found.then(page.outside(gaps))
        return found if len(found) <= limit else Table(found.open_us[:limit], found.next_us[:limit], found.rows[:limit])

    def fundings(self, symbol: str, from_us: int | None = None, to_us: int | None = None) -> list[Funding]:
        """Return the fundings paid with ``from_us <= time < to_us``, default the whole history."""
        low, high = self._made(symbol, from_us, to_us)
        return self.contract(symbol).fundings(low, high)

    def open_interests(
        self, symbol: str, from_us: int | None = None, to_us: int | None = None, period_us: int = GRID_US
    ) -> list[OpenInterest]:
        """Return the open interest at the multiples of a period in ``from_us <= time < to_us``, default all."""
        low, high = self._made(symbol, from_us, to_us)
        return self.contract(symbol).open_interests(low, high, period_us)

    def contract(self, symbol: str) -> Contract:
        """Return a pair's perpetual contract.

        Raises:
            KeyError: No such pair, or it has no contract.
        """
        self.market(symbol)
        if symbol not in self.contracts:
            raise KeyError(f"symbol {symbol!r}: has no perpetual contract; these have: {', '.join(self.contracts)}")
        return self.contracts[symbol]

    def _made(self, symbol: str, from_us: int | None, to_us: int | None) -> tuple[int, int]:
        self.market(symbol)
        high = self.made_until(symbol)
        return self.start_us if from_us is None else from_us, high if to_us is None else min(high, to_us)

    def burst(self, symbol: str, count: int, at_us: int | None = None) -> None:
        """Put ``count`` trades into one millisecond that lies just ahead."""
        market = self.market(symbol)
        market.burst(max(at_us or 0, market.start_us, max(self._clock(), self._horizon) + 20_000), count)
