"""What the official 1-minute klines prove about a hole in the trade ids: that no trade is missing there.

The missing trades could lie in the minutes from that of the trade before the hole to that of the trade after it, a
second more on both sides. Where each of these minutes has a kline that equals ours in count, prices and all four
volumes (`lake.minutes`), or neither has a trade, each trade of these minutes is held.

What proves nothing: a minute without a kline; a kline that is off the minute grid, there twice, or was written to the
lake within 5 s of its end; and minutes beside one that is complete and differs from its kline all the same, because
then one of the two sides may count a trade in another minute.
"""

from collections.abc import Collection
from datetime import date
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from loguru import logger

from lake import hour_bars, kline_store, minutes, read
from lake.errors import LakeError
from lake.gaps import Gap, Hole
from lake.layout import Layout
from lake.ledger import Ledger
from lake.minutes import micros_of
from lake.read import rolled_up
from lake.schemas import BARS, KLINES
from lake.windows import HOUR_US, MINUTE_US, SECOND_US, Window, moment

REACH_US = 2 * MINUTE_US
"""So much before and after a hole, at most, lie the klines that can change what is proved about it."""
_SLACK_US = SECOND_US
"""Trade times go back now and then: a missing trade may lie so much before or after its neighbours."""
_FINAL_US = 5 * SECOND_US
"""A kline that was fetched sooner after its end may lack the last trades."""
_MILLISECOND_US = 1000
_MINUTES = HOUR_US // MINUTE_US


class DirtyError(Exception):
    """Bars that a proof needs are about to be built: whoever builds them decides."""


class KlineProof:
    """Our minutes of a symbol beside the klines, an hour at a time, each read once."""

    def __init__(self, layout: Layout, ledger: Ledger, written: Collection[int]) -> None:
        """Take the lake and its ledger; ``written`` are hours whose bars are new though they are dirty still."""
        self._layout, self._ledger, self._written = layout, ledger, written
        self._klines, self._bars = cache(self._read_klines), cache(self._read_bars)
        self._minutes = cache(self._compare)

    def of(self, hole: Hole) -> Gap | None:
        """Return the gap that the klines prove to have no trade, or None where they do not.

        Raises:
            DirtyError: an hour that it depends on is dirty.
        """
        if not all(len(self._klines(moment(hour).date())) for hour in (hole.before_hour, hole.after_hour)):
            return None
        start = min(self._seconds_of(hole.before_hour, hole.first_id - 1), default=None)
        end = max(self._seconds_of(hole.after_hour, hole.last_id + 1), default=None)
        if start is None or end is None or start > end:
            return None
        first = (start - _SLACK_US) // MINUTE_US
        stop = (end + SECOND_US + _SLACK_US - 1) // MINUTE_US + 1
        trades = 0
        for minute in range(first, stop):
            equal, _, counts = self._minute(minute)
            if not equal:
                return None
            trades += counts
        if any(self._minute(beside)[1] for beside in (first - 1, stop)):
            return None
        span = Window(moment(first * MINUTE_US), moment(stop * MINUTE_US))
        reason = f"the official 1m klines of {span} have the {trades:,} trades that are held and no other"
        return Gap(hole.first_id, hole.last_id, start, end, reason)

    def _seconds_of(self, at: int, number: int) -> list[int]:
        """The seconds of an hour, or of the part of it that begins ``at``, whose ids enclose one."""
        start, end = self._ledger.ids.numberings.piece(at)
        bars = read.inside(self._bars(at - at % HOUR_US), Window(moment(start), moment(end)))
        inside = pc.and_(pc.less_equal(bars["first_trade_id"], number), pc.greater_equal(bars["last_trade_id"], number))
        return [int(us) for us in micros_of(bars.filter(inside)["window_start"])]

    def _minute(self, minute: int) -> tuple[bool, bool, int]:
        """Of a minute: whether it equals its kline, whether it is complete and does not, and how many trades it has."""
        equal, odd, counts = self._minutes(minute * MINUTE_US // HOUR_US * HOUR_US)
        at = minute % _MINUTES
        return bool(equal[at]), bool(odd[at]), int(counts[at])

    def _compare(self, hour: int) -> tuple[minutes.Bools, minutes.Bools, minutes.Ints]:
        equal, odd, counts = np.zeros(_MINUTES, bool), np.zeros(_MINUTES, bool), np.zeros(_MINUTES, np.int64)
        klines = self._klines(moment(hour).date())
        at = micros_of(klines["open_time"])
        klines = klines.filter(pa.array((at >= hour) & (at < hour + HOUR_US)))
        if len(klines):
            ours = rolled_up(self._bars(hour), "1m")
            found = minutes.compare(ours, klines)
            place = found.start_us % HOUR_US // MINUTE_US
            quiet = (found.ours["trade_count"] == 0) & (found.theirs["trade_count"] == 0)
            equal[place], odd[place] = found.equal | quiet, found.complete & ~found.equal & ~quiet
            counts[place] = found.ours["trade_count"].astype(np.int64)
            for gap in self._ledger.claims.settled():  # a minute may be complete by a claim that is to be withdrawn
                low, high = ((us - hour) // MINUTE_US for us in (gap.from_us, gap.to_us))
                odd[max(low, 0) : max(high + 1, 0)] = False
            without = micros_of(klines.filter(pc.equal(klines["trades"], 0))["open_time"])
            equal[np.setdiff1d(without, micros_of(ours["window_start"])) % HOUR_US // MINUTE_US] = True
        return equal, odd, counts

    def _read_klines(self, day: date) -> pa.Table:
        """The klines of a day that can prove something."""
        symbol, path = self._ledger.symbol, self._layout.kline_file(self._ledger.symbol, day, "1m")
        if not path.exists():
            return KLINES.empty()
        written_us = path.stat().st_mtime_ns // 1000
        try:
            klines = kline_store.read(self._layout, symbol, "1m", day)
        except LakeError as error:
            logger.warning("{}: klines that cannot be read prove nothing: {}", symbol, error)
            return KLINES.empty()
        at, close = micros_of(klines["open_time"]), micros_of(klines["close_time"])
        times, count = np.unique(at, return_counts=True)
        trusted = np.isin(at, times[count == 1]) & (at % MINUTE_US == 0) & (close - at == MINUTE_US - _MILLISECOND_US)
        trusted &= at + MINUTE_US + _FINAL_US <= written_us
        trusted &= pc.is_null(klines["exchange_open_time"]).to_numpy()  # else it covers another minute in part
        return klines.filter(pc.and_(pa.array(trusted), pc.equal(klines["symbol"], symbol)))

    def _read_bars(self, hour: int) -> pa.Table:
        if hour not in self._written and self._ledger.is_dirty(hour):
            raise DirtyError
        there = hour_bars.sound(self._layout, self._ledger, hour)
        return BARS.empty() if there is None else there
