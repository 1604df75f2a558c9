"""The exchange's spot REST endpoints: limits, clock, which pairs are listed, and klines. Source: rest-api.md."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from lake.budget import Budget
from lake.errors import LakeError
from lake.intervals import Interval, Span, close_us
from lake.kline_rows import Judged, from_rest, settled
from lake.layout import Layout
from lake.web import RefusedError, Web

MOST_ROWS = 1000
"""Candles in one answer."""
KLINES_WEIGHT = 2
_INFO_WEIGHT = 20
_DOCUMENTED_LIMIT = 6000
"""Weight a minute (CHANGELOG 2023-08-25), until `info` has said how much it is."""
UNKNOWN_SYMBOL = -1121
"""The exchange's code for a pair that it does not know."""


@dataclass(frozen=True)
class Info:
    """What the exchange says of itself.

    Attributes:
        weight_limit: Weight it allows in a minute.
        ahead_s: How far its clock is ahead of ours, at least.
        latency_s: How long it takes to answer.
        statuses: Of the pairs asked about: ``TRADING``, or ``BREAK`` while trade rests or when it has ended. A pair
            that is not listed is not in it.
    """

    weight_limit: int = _DOCUMENTED_LIMIT
    ahead_s: float = 0.0
    latency_s: float = 0.1
    statuses: Mapping[str, str] = field(default_factory=dict)

    def now_us(self) -> int:
        """The exchange's time in microseconds since 1970 UTC."""
        return int((time.time() + self.ahead_s) * 1e6)


class Spot:
    """The endpoints, from any thread."""

    def __init__(self, web: Web, budget: Budget) -> None:
        """Take the connection and its budget."""
        self._web, self.budget = web, budget

    def info(self, symbols: list[str]) -> Info:
        """Ask for limits, time and the status of some pairs: ``rateLimits[]``, ``serverTime``, ``symbols[].status``."""
        try:
            said = self._info(symbols)
        except RefusedError as error:
            if error.code != UNKNOWN_SYMBOL or len(symbols) == 1:
                raise
            return self._info_of_each(symbols)
        return said

    def _info_of_each(self, symbols: list[str]) -> Info:
        """One pair that is not listed spoils the answer for all: so each is asked for alone."""
        found, statuses = Info(), dict[str, str]()
        for symbol in symbols:
            try:
                found = self._info([symbol])
            except RefusedError as error:
                if error.code != UNKNOWN_SYMBOL:
                    raise
            else:
                statuses |= found.statuses
        return Info(found.weight_limit, found.ahead_s, found.latency_s, statuses)

    def _info(self, symbols: list[str]) -> Info:
        names = json.dumps(symbols, separators=(",", ":"), ensure_ascii=False)
        said = self._web.json("/api/v3/exchangeInfo", {"symbols": names}, _INFO_WEIGHT)
        answered = time.time()
        try:
            limits = [
                int(limit["limit"])
                for limit in said["rateLimits"]
                if (limit["rateLimitType"], limit["interval"], limit["intervalNum"]) == ("REQUEST_WEIGHT", "MINUTE", 1)
            ]
            # At most as far ahead as it is, however long the request waited: else a candle still open could seem over.
            ahead_s = said["serverTime"] / 1000 - answered
            statuses = {pair["symbol"]: pair["status"] for pair in said["symbols"]}
        except (KeyError, TypeError, ValueError) as error:
            what = f"{type(error).__name__}: {error}"
            raise LakeError(f"exchangeInfo: the answer is not as documented ({what}): {str(said)[:80]!r}") from error
        units = min(limits, default=_DOCUMENTED_LIMIT)
        self.budget.learn(units, ahead_s)
        return Info(units, ahead_s, self._web.latency_s, statuses)

    def klines(self, symbol: str, interval: Interval, span: Span) -> Judged:
        """Return the candles of a span of at most `MOST_ROWS`: those that open in its windows, on the grid or off it.

        Raises:
            RefusedError: the exchange does not know the pair.
            LakeError: the answer is none.
        """
        until_us = close_us(interval, span.last_us)
        return self._klines(symbol, interval, {"startTime": span.first_us // 1000, "endTime": until_us // 1000 - 1})

    def following(self, symbol: str, interval: Interval, from_us: int) -> Judged:
        """Return the next `MOST_ROWS` candles that there are from a moment on, the one still open too."""
        return self._klines(symbol, interval, {"startTime": from_us // 1000})

    def first(self, symbol: str, interval: Interval) -> int | None:
        """Return the open time (µs) of the window in which the first candle opens; None where there is no candle."""
        found = self._klines(symbol, interval, {"startTime": 0, "limit": 1})
        windows = np.union1d(found.opens, found.unsettled)
        if not len(windows) and found.refused:
            raise LakeError(f"klines of {symbol}: the first is {found.refused[0].line[:80]}: {found.refused[0].reason}")
        return int(windows[0]) if len(windows) else None

    def _klines(self, symbol: str, interval: Interval, query: Mapping[str, int]) -> Judged:
        asked: dict[str, str | int] = {"symbol": symbol, "interval": interval, "limit": MOST_ROWS, **query}
        said = self._web.json("/api/v3/klines", asked, KLINES_WEIGHT)
        if not isinstance(said, list):
            raise LakeError(f"klines of {symbol}: the exchange answered {str(said)[:80]!r}, expected a list")
        return settled(from_rest(symbol, interval, said), interval, full=len(said) >= MOST_ROWS)


@contextmanager
def connected(layout: Layout, url: str) -> Iterator[Spot]:
    """Yield the endpoints at a host, within the limits shared by every process of this lake."""
    budget = Budget(layout.limits, f"{url} weight", _DOCUMENTED_LIMIT)
    try:
        with Web(url, budget) as web:
            yield Spot(web, budget)
    finally:
        budget.close()
