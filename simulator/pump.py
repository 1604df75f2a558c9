"""The beat of the live session: every few milliseconds, what has come due is made, altered by faults, and sent."""

import asyncio
from collections.abc import Callable, Iterator

from simulator.exchange import Exchange
from simulator.frames import Frame, aggregate_frames, quote_frames, trade_frames
from simulator.hub import Hub
from simulator.tamper import Tamper

_SPAN_US = 1_000_000
"""Most that is made at once while someone listens; a longer backlog (after a pause) goes out in several steps."""
_ALL_US = 1 << 62
_AHEAD_US = 20_000_000
"""Blocks are drawn this long before they are due, one pair per beat."""


class Pump:
    """Drives an exchange's streams."""

    def __init__(
        self, exchange: Exchange, hub: Hub, tamper: Tamper, beat_seconds: float, silent: Callable[[str], bool]
    ) -> None:
        self._exchange, self._hub, self._tamper = exchange, hub, tamper
        self._beat_seconds, self._silent = beat_seconds, silent
        self._turn = 0

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(self._beat_seconds)

    async def beat(self) -> None:
        """Make and send what has come due."""
        while True:
            low, high = self._exchange.advance(_ALL_US if self._hub.idle else _SPAN_US)
            if low == high:
                break
            frames = sorted(self._due(low, high), key=lambda frame: frame.time_us)
            self._hub.note(frames)
            self._hub.send(self._tamper.apply(frames))
            if self._hub.idle or high - low < _SPAN_US:
                break
            await asyncio.sleep(0)
        self._hub.send(self._tamper.released())
        self._warm()

    def _due(self, low: int, high: int) -> Iterator[Frame]:
        wanted = self._hub.wanted
        for symbol, market in self._exchange.markets.items():
            name = symbol.lower()
            trade, aggregate, quote = f"{name}@trade", f"{name}@aggTrade", f"{name}@bookTicker"
            trades_wanted, aggregates_wanted = wanted(trade), wanted(aggregate)
            if not (trades_wanted or aggregates_wanted or wanted(quote)) or self._silent(symbol):
                continue
            if trades_wanted or aggregates_wanted:
                for part in market.trades(low, high):
                    if trades_wanted:
                        yield from trade_frames(market, trade, part)
                    if aggregates_wanted:
                        yield from aggregate_frames(market, aggregate, part)
            if wanted(quote):
                for quotes in market.quotes(low, high):
                    yield from quote_frames(market, quote, quotes)

    def _warm(self) -> None:
        """Draw one pair's next block, so that no beat has to draw all of them at once."""
        markets = list(self._exchange.markets.values())
        market = markets[self._turn % len(markets)]
        self._turn += 1
        minute = market.block_of(market.minute_of(self._exchange.horizon_us + _AHEAD_US))[0]
        market.block(minute)
        market.quote_block(minute)
