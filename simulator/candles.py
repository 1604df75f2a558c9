"""Klines of any interval, exactly as they follow from the trades: integers throughout, no floating point."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from simulator.blocks import Trades
from simulator.market import SymbolMarket
from simulator.spine import MINUTE_US, MINUTES, Ints

SECOND_US = 1_000_000
INTERVALS = {
    "1s": SECOND_US, "1m": MINUTE_US, "3m": 3 * MINUTE_US, "5m": 5 * MINUTE_US, "15m": 15 * MINUTE_US,
    "30m": 30 * MINUTE_US,
    "1h": 60 * MINUTE_US, "2h": 120 * MINUTE_US, "4h": 240 * MINUTE_US, "6h": 360 * MINUTE_US, "8h": 480 * MINUTE_US,
    "12h": 720 * MINUTE_US, "1d": 1440 * MINUTE_US, "3d": 4320 * MINUTE_US, "1w": 10080 * MINUTE_US, "1M": 0,
}  # fmt: skip
"""The exchange's intervals in µs; a month has no fixed length (rest-api.md, "Kline/Candlestick chart intervals")."""
_WEEK_ORIGIN_US = 4 * 1440 * MINUTE_US
"""1970-01-05, a Monday: weeks begin on Mondays."""
OPEN, HIGH, LOW, CLOSE, VOLUME, QUOTE, COUNT, BUY_BASE, BUY_QUOTE = range(9)
"""Columns of a row: prices in ticks, base amounts in lot steps, quote amounts in ticks × steps."""
_CACHED_ROWS = 300_000
"""Minutes kept a pair, 80 bytes each: 200 days, so that who reads them all again does not make them all again."""


def floor_time(time_us: int, interval: str, offset_us: int = 0) -> int:
    """Return the start of the kline that holds a moment, both µs since 1970 UTC; ``offset_us`` is the time zone's."""
    local = time_us + offset_us
    if interval == "1M":
        day = datetime.fromtimestamp(local // SECOND_US, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * SECOND_US - offset_us
    origin = _WEEK_ORIGIN_US if interval == "1w" else 0
    length = INTERVALS[interval]
    return (local - origin) // length * length + origin - offset_us


def next_time(start_us: int, interval: str, offset_us: int = 0) -> int:
    """Return the start of the kline after the one that starts at ``start_us``."""
    if interval == "1M":
        return floor_time(start_us + 32 * 1440 * MINUTE_US, interval, offset_us)
    return start_us + INTERVALS[interval]


def group(trades: Trades, key: Ints) -> tuple[Ints, Ints]:
    """Aggregate trades with equal keys, which must not decrease: return keys and a row of nine columns for each."""
    keys, first = np.unique(key, return_index=True)
    if not len(keys):
        return keys, np.zeros((0, 9), np.int64)
    last = np.append(first[1:], len(key)) - 1
    quote = trades.ticks * trades.steps
    buy = ~trades.sell
    columns = (
        trades.ticks[first], np.maximum.reduceat(trades.ticks, first), np.minimum.reduceat(trades.ticks, first),
        trades.ticks[last], np.add.reduceat(trades.steps, first), np.add.reduceat(quote, first), last - first + 1,
        np.add.reduceat(trades.steps * buy, first), np.add.reduceat(quote * buy, first),
    )  # fmt: skip
    return keys, np.stack(columns, axis=1).astype(np.int64)


def merge(key: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Aggregate rows with equal keys, which must not decrease, into one row each."""
    keys, first = np.unique(key, return_index=True)
    if not len(keys):
        return keys, rows[:0]
    last = np.append(first[1:], len(key)) - 1
    sums = np.add.reduceat(rows[:, VOLUME:], first, axis=0)
    high, low = np.maximum.reduceat(rows[:, HIGH], first), np.minimum.reduceat(rows[:, LOW], first)
    return keys, np.column_stack([rows[first, OPEN], high, low, rows[last, CLOSE], sums])


@dataclass(frozen=True)
class Table:
    """Klines of one interval in order: open times, the next kline's open times (both µs), and nine columns a row."""

    open_us: Ints
    next_us: Ints
    rows: Ints

    def __len__(self) -> int:
        return len(self.open_us)

    def last(self, count: int) -> "Table":
        """Return the last ``count`` klines."""
        return Table(self.open_us[-count:], self.next_us[-count:], self.rows[-count:])

    def outside(self, gaps: Sequence[tuple[int, int]]) -> "Table":
        """Return the klines that do not lie wholly within one of these spans (from, to), µs."""
        keep = np.ones(len(self), bool)
        for low, high in gaps:
            keep &= (self.open_us < low) | (self.next_us > high)
        return self if keep.all() else Table(self.open_us[keep], self.next_us[keep], self.rows[keep])

    def shifted(self, spans: Sequence[tuple[int, int, int]]) -> "Table":
        """Return the klines with those that open within one of these spans (from, to) later by its third number, µs."""
        open_us, next_us = self.open_us.copy(), self.next_us.copy()
        for low, high, later in spans:
            within = (self.open_us >= low) & (self.open_us < high)
            open_us[within] += later
            next_us[within] += later
        return Table(open_us, next_us, self.rows)

    def between(self, from_us: int, until_us: int, limit: int) -> "Table":
        """Return the first ``limit`` klines with ``from_us <= open <= until_us``."""
        at = np.flatnonzero((self.open_us >= from_us) & (self.open_us <= until_us))[:limit]
        return Table(self.open_us[at], self.next_us[at], self.rows[at])

    def then(self, other: "Table") -> "Table":
        """Return these klines and those of another table."""
        pairs = ((self.open_us, other.open_us), (self.next_us, other.next_us), (self.rows, other.rows))
        return Table(*(np.concatenate(pair) for pair in pairs))


NO_KLINES = Table(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 9), np.int64))


class Candles:
    """The klines of one symbol, with a cache of the minutes that are over."""

    def __init__(self, market: SymbolMarket) -> None:
        self._market = market
        self._blocks: OrderedDict[int, tuple[Ints, Ints]] = OrderedDict()
        self._days: dict[int, tuple[Ints, Ints]] = {}
        self._rows = 0
        self._first_us: int | None = None
        self._lock = threading.Lock()

    def klines(
        self, interval: str, from_us: int, until_us: int, horizon_us: int, limit: int, offset_us: int = 0
    ) -> list[tuple[int, int, tuple[int, ...]]]:
        """Return klines as `table` does, as (open time, next open time, nine columns)."""
        table = self.table(interval, from_us, until_us, horizon_us, limit, offset_us)
        columns = (table.open_us.tolist(), table.next_us.tolist(), map(tuple, table.rows.tolist()))
        return list(zip(*columns, strict=True))

    def table(
        self, interval: str, from_us: int, until_us: int, horizon_us: int, limit: int, offset_us: int = 0
    ) -> Table:
        """Return klines in order; times in µs since 1970 UTC.

        Those whose open time is in ``from_us <= open <= until_us``, at most ``limit``; made of trades with
        T < ``horizon_us``, so that the last may still be open. A span without a trade has a flat kline at the last
        close, as the exchange's have; spans before the symbol's first trade have none.
        """
        first_us = self._first_trade(horizon_us)
        if first_us is None:
            return NO_KLINES
        start = floor_time(max(from_us, first_us), interval, offset_us)
        if start < from_us:
            start = next_time(start, interval, offset_us)
        edges = _edges(start, min(until_us, horizon_us - 1), interval, offset_us, limit)
        if len(edges) < 2:
            return NO_KLINES
        at, rows = self._sub_rows(interval, start, min(int(edges[-1]), horizon_us), horizon_us, offset_us)
        keys, found = merge(np.searchsorted(edges, at, side="right") - 1, rows)
        return Table(edges[:-1], edges[1:], self._filled(edges, keys, found))

    def _filled(self, edges: Ints, keys: Ints, found: Ints) -> Ints:
        """Return a row for every kline: those found at their places, the others flat at the last close."""
        count = len(edges) - 1
        if len(keys) == count:
            return found
        rows = np.zeros((count, 9), np.int64)
        rows[keys] = found
        present = np.zeros(count, bool)
        present[keys] = True
        last = np.maximum.accumulate(np.where(present, np.arange(count), -1))
        closes = rows[last, CLOSE]
        if last[0] < 0:
            closes[last < 0] = self._market.last_price(self._market.trades_before(int(edges[0]))) or 0
        rows[~present, : CLOSE + 1] = closes[~present, None]
        return rows

    def _sub_rows(self, interval: str, from_us: int, to_us: int, horizon_us: int, offset_us: int) -> tuple[Ints, Ints]:
        """Return rows (with their times) that tile the span: seconds, minutes or days, the coarsest that fits."""
        if interval == "1s":
            return _joined([_by(part, SECOND_US) for part in self._market.trades(from_us, min(to_us, horizon_us))])
        day_us = MINUTES * MINUTE_US
        if INTERVALS[interval] % day_us or offset_us % day_us:
            return self._minutes(from_us, to_us, horizon_us)
        days = range(from_us // day_us, -(-to_us // day_us))
        return _joined([self._day(day * day_us, horizon_us) for day in days])

    def _day(self, start_us: int, horizon_us: int) -> tuple[Ints, Ints]:
        if start_us in self._days:
            return self._days[start_us]
        end_us = start_us + MINUTES * MINUTE_US
        at, rows = self._minutes(start_us, min(end_us, horizon_us), horizon_us)
        found = merge(np.full(len(at), start_us), rows)
        if end_us <= horizon_us:
            self._days[start_us] = found
        return found

    def _minutes(self, from_us: int, to_us: int, horizon_us: int) -> tuple[Ints, Ints]:
        """Return the rows of minutes with trades whose start is in the span, and their starts."""
        parts = []
        minute, minutes = self._market.block_of(self._market.minute_of(from_us))
        while (start_us := self._market.start_us + minute * MINUTE_US) < to_us:
            parts.append(self._block(minute, start_us, start_us + minutes * MINUTE_US, horizon_us))
            minute += minutes
            _, minutes = self._market.block_of(minute)
        at, rows = _joined(parts)
        low, high = np.searchsorted(at, [from_us, to_us])
        return at[low:high], rows[low:high]

    def _block(self, minute: int, start_us: int, end_us: int, horizon_us: int) -> tuple[Ints, Ints]:
        with self._lock:
            if minute in self._blocks:
                self._blocks.move_to_end(minute)
                return self._blocks[minute]
        trades = self._market.block(minute)
        if end_us > horizon_us:
            return _by(trades.slice(0, int(np.searchsorted(trades.time_us, horizon_us))), MINUTE_US)
        found = _by(trades, MINUTE_US)
        with self._lock:
            if minute not in self._blocks:
                self._rows += len(found[0])
                self._blocks[minute] = found
            while self._rows > _CACHED_ROWS:
                self._rows -= len(self._blocks.popitem(last=False)[1][0])
        return found

    def _first_trade(self, horizon_us: int) -> int | None:
        if self._first_us is None:
            first = self._market.trades(self._market.start_us, horizon_us, 1)
            if not first:
                return None
            self._first_us = int(first[0].time_us[0])
        return self._first_us if self._first_us < horizon_us else None


def _edges(start_us: int, until_us: int, interval: str, offset_us: int, limit: int) -> Ints:
    """Return the open times of at most ``limit`` klines up to ``until_us``, and where the last of them ends."""
    length = INTERVALS[interval]
    if length:
        count = max(min((until_us - start_us) // length + 1, limit), 0)
        return start_us + np.arange(count + 1, dtype=np.int64) * length
    edges = [start_us]
    while edges[-1] <= until_us and len(edges) <= limit:
        edges.append(next_time(edges[-1], interval, offset_us))
    return np.array(edges, np.int64)


def _by(trades: Trades, length_us: int) -> tuple[Ints, Ints]:
    return group(trades, trades.time_us // length_us * length_us)


def _joined(parts: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    if not parts:
        return np.zeros(0, np.int64), np.zeros((0, 9), np.int64)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
