"""Trade ids that never existed: holes in the numbering that the exchange's own 1-minute klines settle.

An id is missing between two trades that are held. Either its trade was not recorded, or the exchange has no such trade.
The klines decide: where every minute that the missing trades could lie in has just the trades that are held, by count,
prices and all four volumes, no trade is missing there. So the ids never existed, and the trades around them count as
consecutive (`lake.surroundings`). The claim lasts as long as its proof: it is withdrawn when such a trade arrives after
all, or when a kline is no longer equal.

What proves nothing: a minute without a kline; a kline off the minute grid, there twice, of a minute that was not over
5 s before the file was written; and a minute beside one that is complete and yet differs from its kline, because then a
trade may be counted in another minute on one of the two sides.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from loguru import logger

from lake import hour_bars, kline_rows, kline_store, locks, minutes
from lake.errors import LakeError
from lake.gaps import Gap, Hole
from lake.layout import Layout
from lake.ledger import Ledger
from lake.read import rolled_up
from lake.schemas import BARS, KLINES
from lake.windows import HOUR_US, MINUTE_US, SECOND_US, Window, moment

_SLACK_US = SECOND_US
"""Trade times go back now and then: a missing trade may lie so much before or after its neighbours."""
_FINAL_US = 5 * SECOND_US
"""A kline that was fetched sooner after its end may lack the last trades."""
_REACH_US = 2 * MINUTE_US
"""The minutes that prove a hole begin and end so much before and after it at most, with the minutes beside them."""
_MILLISECOND_US = 1000
_MINUTES = HOUR_US // MINUTE_US


@dataclass(frozen=True)
class Settled:
    """What klines settle now: gaps that are ``new``, those ``withdrawn``, and all that ``hold``, old and new."""

    new: list[Gap] = field(default_factory=list)
    withdrawn: list[Gap] = field(default_factory=list)
    hold: list[Gap] = field(default_factory=list)

    @property
    def changed(self) -> set[int]:
        """The hours whose bars must be built again."""
        return {hour for gap in (*self.new, *self.withdrawn) for hour in gap.hours}

    @property
    def hours(self) -> set[int]:
        """All hours whose bars depend on these gaps."""
        return self.changed | {hour for gap in self.hold for hour in gap.hours}


class _DirtyError(Exception):
    """Bars that a proof needs are about to be built: whoever builds them decides."""


def settle(layout: Layout, ledger: Ledger, hours: Collection[int]) -> Settled:
    """Settle the holes in and beside some hours whose bars have just been written, and note it. Twice gives once.

    Call it with the symbol's lock of bars held, before the hours are noted as built. Hours whose bars depend on a claim
    become dirty before it is noted, so that a kill in between costs nothing.

    Raises:
        LakeError: bars cannot be read, or the ledger cannot be written.
    """
    beside = {hour + step for hour in hours for step in (-HOUR_US, 0, HOUR_US)}
    found = _decide(layout, ledger, beside, hours)
    gone = {gap.place for gap in (*found.withdrawn, *found.hold)}
    before = ledger.never_existed()
    after = sorted([gap for gap in before if gap.place not in gone] + found.hold)
    if after == before:
        return found
    with ledger.transaction():
        ledger.mark_dirty(found.changed)
    ledger.put_never_existed(after)
    for gap in found.new:
        logger.info("{}: trade ids {} to {} never existed: {}", ledger.symbol, gap.first_id, gap.last_id, gap.reason)
    for gap in found.withdrawn:
        logger.warning(
            "{}: trade ids {} to {} no longer count as never existed: one has arrived, or the klines have changed",
            ledger.symbol, gap.first_id, gap.last_id,
        )  # fmt: skip
    return found


def reconsider(layout: Layout, symbol: str, window: Window) -> Settled:
    """Mark the hours dirty where the klines of a window settle a hole now, or no longer do; `settle` then notes it.

    Raises:
        LakeError: bars cannot be read, or the ledger is damaged.
    """
    if not layout.ledger.exists():
        return Settled()
    first = (window.start_us - _REACH_US) // HOUR_US * HOUR_US
    hours = range(first, window.end_us + _REACH_US, HOUR_US)
    with Ledger(layout, symbol) as ledger:
        if not ledger.holes(hours) and not ledger.claims(hours, ()):
            return Settled()
    with locks.bars(layout, symbol), Ledger(layout, symbol) as ledger:
        found = _decide(layout, ledger, hours, ())
        able = {hour for hour in found.changed if not ledger.parts_of_hour(hour)[1]}
        with ledger.transaction():
            ledger.mark_dirty(able)
    new, gone = ([gap for gap in gaps if able & set(gap.hours)] for gaps in (found.new, found.withdrawn))
    return Settled(new, gone, found.hold)


def _decide(layout: Layout, ledger: Ledger, hours: Collection[int], written: Collection[int]) -> Settled:
    """Decide about the holes that touch some hours; ``written`` are those whose bars are new though they are dirty."""
    claims = ledger.claims(hours, written)
    known = {gap.hole: gap for gap in claims}
    proof = _Proof(layout, ledger, written)
    hold = []
    for hole in ledger.holes(hours):
        try:
            gap = proof.of(hole)
        except _DirtyError:
            gap = known.get(hole)
        hold += [gap] if gap else []
    before, after = ({gap.place for gap in gaps} for gaps in (claims, hold))
    return Settled(
        [gap for gap in hold if gap.place not in before], [gap for gap in claims if gap.place not in after], hold
    )  # fmt: skip


class _Proof:
    """Our minutes beside the klines, an hour at a time, each read once."""

    def __init__(self, layout: Layout, ledger: Ledger, written: Collection[int]) -> None:
        self._layout, self._ledger, self._written = layout, ledger, written
        self._klines, self._bars = cache(self._read_klines), cache(self._read_bars)
        self._minutes = cache(self._compare)

    def of(self, hole: Hole) -> Gap | None:
        """Return the gap that the klines prove to have no trade, or None where they do not.

        Raises:
            _DirtyError: an hour that it depends on is dirty.
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

    def _seconds_of(self, hour: int, number: int) -> list[int]:
        """The seconds of an hour whose ids enclose one."""
        bars = self._bars(hour)
        inside = pc.and_(pc.less_equal(bars["first_trade_id"], number), pc.greater_equal(bars["last_trade_id"], number))
        return [int(us) for us in _starts(bars.filter(inside))]

    def _minute(self, minute: int) -> tuple[bool, bool, int]:
        """Of a minute: whether it equals its kline, whether it is complete and does not, and how many trades it has."""
        equal, odd, counts = self._minutes(minute * MINUTE_US // HOUR_US * HOUR_US)
        at = minute % _MINUTES
        return bool(equal[at]), bool(odd[at]), int(counts[at])

    def _compare(self, hour: int) -> tuple[minutes.Bools, minutes.Bools, minutes.Ints]:
        equal, odd, counts = np.zeros(_MINUTES, bool), np.zeros(_MINUTES, bool), np.zeros(_MINUTES, np.int64)
        klines = self._klines(moment(hour).date())
        at = kline_rows.open_times(klines)
        klines = klines.filter(pa.array((at >= hour) & (at < hour + HOUR_US)))
        if len(klines):
            ours = rolled_up(self._bars(hour), "1m")
            found = minutes.compare(ours, klines)
            place = found.start_us % HOUR_US // MINUTE_US
            quiet = (found.ours["trade_count"] == 0) & (found.theirs["trade_count"] == 0)
            equal[place], odd[place] = found.equal | quiet, found.complete & ~found.equal & ~quiet
            counts[place] = found.ours["trade_count"].astype(np.int64)
            for gap in self._ledger.never_existed():  # a minute may be complete by a claim that is to be withdrawn
                low, high = ((us - hour) // MINUTE_US for us in (gap.from_us, gap.to_us))
                odd[max(low, 0) : max(high + 1, 0)] = False
            without = kline_rows.open_times(klines.filter(pc.equal(klines["trades"], 0)))
            equal[np.setdiff1d(without, _starts(ours)) % HOUR_US // MINUTE_US] = True
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
        at, close = kline_rows.open_times(klines), klines["close_time"].cast(pa.int64()).to_numpy()
        times, count = np.unique(at, return_counts=True)
        trusted = np.isin(at, times[count == 1]) & (at % MINUTE_US == 0) & (close - at == MINUTE_US - _MILLISECOND_US)
        trusted &= at + MINUTE_US + _FINAL_US <= written_us
        on_grid = pc.and_(pc.is_null(klines["exchange_open_time"]), pc.equal(klines["symbol"], symbol))
        return klines.filter(pc.and_(pa.array(trusted), on_grid))

    def _read_bars(self, hour: int) -> pa.Table:
        if hour not in self._written and self._ledger.is_dirty(hour):
            raise _DirtyError
        there = hour_bars.there(self._layout, self._ledger.symbol, hour)
        return BARS.empty() if there is None else there


def _starts(table: pa.Table) -> minutes.Ints:
    found: minutes.Ints = table["window_start"].cast(pa.int64()).to_numpy()
    return found
