"""One contract's fundings in a window: of which stretches not all are held, and how they come into the lake."""

from datetime import datetime
from functools import partial

import pyarrow as pa
from loguru import logger

from lake import damage, derivatives_store
from lake.archive import ArchiveError
from lake.archive_futures import PUBLISHED, ArchiveFutures, month_of
from lake.derivatives_store import APART_US, unproved, years
from lake.futures import Futures, Rows, micros_of
from lake.history import History
from lake.layout import Layout
from lake.parallel import in_parallel
from lake.ranges import Range, gaps
from lake.schemas import FUNDING
from lake.web import NotThereError
from lake.windows import HOUR_US, Window, micros, moment

_SHOWN_US = HOUR_US
"""A stretch is whole when it ended so long ago: a funding shows up seconds after it was paid."""


class Fundings:
    """What a run does about fundings; attributes count what it did.

    Fundings come at no fixed interval, so the lake notes of which stretches it has all: in the year's file where there
    are rows (`derivatives_store.whole`), in the history where the exchange has none. REST alone proves neither where it
    has no funding for longer than `APART_US`: of a ticker that was used again it only has the new contract. There the
    archive's months are asked, too.

    Attributes:
        unheard: Stretches that REST answered nothing about, where no later funding shows that it was no slip.
        added: Fundings written.
        quarantined: Zips that could not be believed.
        refused: Rows of zips that could not be believed.
        contradictions: Fundings of which two rows differ.
    """

    def __init__(
        self, layout: Layout, symbol: str, window: Window, now: datetime, history: History, compression: str
    ) -> None:  # fmt: skip
        """Take what `lake.derivatives.run` takes, and the history of what the exchange has none of."""
        self._layout, self._symbol, self._history, self._compression = layout, symbol, history, compression
        self._now, self._now_us = now, micros(now)
        self._span = window.start_us, min(window.end_us, self._now_us)
        self.unheard: list[Range] = []
        self.added = self.quarantined = self.refused = self.contradictions = 0

    def lacking(self) -> list[Range]:
        """Return the parts of the window, in microseconds, of which it is not known that all fundings are held."""
        known = self._history.holes()
        for year, _ in years([self._span]):
            whole = partial(derivatives_store.whole, self._layout, self._symbol, year)
            known += damage.sound(self._layout, whole, [])
        return gaps(*self._span, known)

    def hours_left(self) -> int:
        """Return how many hours of the window are over of which it is not known that all fundings are held."""
        until_us = self._now_us - _SHOWN_US
        return sum(max(min(end, until_us) - start, 0) for start, end in self.lacking()) // HOUR_US

    def by_rest(self, rest: Futures) -> list[Range]:
        """Ask REST for what is lacking; return the stretches it has nothing of, for the archive to confirm.

        A stretch is whole by the exchange's clock: by ours, were it hours ahead, fundings not paid yet would be held.
        An empty answer counts only where a later funding shows that it was no slip; else the stretch is `unheard`. Each
        question begins `APART_US` early: the funding before a stretch shows that the contract was there.
        """
        todo = [
            (stretch, partial(rest.fundings, self._symbol, (stretch[0] - APART_US, stretch[1])))
            for stretch in self.lacking()
        ]
        settled_us, quiet = None, list[Range]()
        for stretch, table in in_parallel(todo):
            settled_us = settled_us or min(self._now_us, rest.now_us()) - _SHOWN_US
            times = micros_of(table, "funding_time").tolist()
            silent = _within(stretch, unproved((stretch[0] - APART_US, stretch[1]), times))
            for part in gaps(*stretch, silent):
                self._put(part, table, settled_us)
            over = stretch[1] <= settled_us
            if silent and (times or (over and (rest.next_funding(self._symbol, stretch[0]) or 0) >= stretch[1])):
                quiet += silent
            else:
                self.unheard += silent
        return quiet

    def by_archive(self, zips: ArchiveFutures, stretches: list[Range], *, alive: bool | None) -> bool:
        """Take stretches from the zips of the months that are over; return whether there was any zip.

        Args:
            zips: The contract's zips.
            stretches: What is lacking.
            alive: REST knows the contract and has nothing of the stretches: a month without a zip has none then.
                Without REST's word (False), only where another month has a zip. None: REST's answer was empty and may
                be a slip, so no month is noted as one without fundings.
        """
        days = (day for start, end in stretches for day in Window(moment(start), moment(end)).days())
        months = [month_of(first) for first in sorted({day.replace(day=1) for day in days})]
        todo = [(month, partial(self._zip, zips, month)) for month in months if month.end <= self._now]
        absent, found = list[Range](), False
        for month, rows in in_parallel(todo):
            parts = _within((month.start_us, month.end_us), stretches)
            if rows is _NOTHING:
                absent += parts if month.end + PUBLISHED <= self._now else []
            elif rows is None:
                self.quarantined += 1
            else:
                found, self.refused = True, self.refused + rows.refused
                for stretch in parts:
                    self._put(stretch, rows.table, 0 if rows.refused else self._now_us)
        if alive or (found and alive is not None):
            self._history.put_holes(absent)
        return found or self.quarantined > 0

    def _zip(self, zips: ArchiveFutures, month: Window) -> Rows | None:
        """A month's zip; `_NOTHING` where there is none, None where it cannot be believed."""
        try:
            return zips.fundings(month.start.date())
        except NotThereError:
            return _NOTHING
        except ArchiveError as error:
            logger.warning("{} {:%Y-%m}: {}", self._symbol, month.start, error)
            return None

    def _put(self, stretch: Range, table: pa.Table, settled_us: int) -> None:
        """Write an answer about a stretch, and note that it is final as far as ``settled_us``."""
        times = micros_of(table, "funding_time")
        for year, (start, end) in years([stretch]):
            mine, final = table.filter((times >= start) & (times < end)), (start, min(end, settled_us))
            if len(mine):
                put = derivatives_store.put_fundings(self._layout, self._symbol, year, mine, final, self._compression)
                self.added += put.added
                self.contradictions += put.contradictions
            elif end <= settled_us:
                self._history.put_holes([final])


_NOTHING = Rows(FUNDING.empty())


def _within(window: Range, stretches: list[Range]) -> list[Range]:
    cut = ((max(start, window[0]), min(end, window[1])) for start, end in stretches)
    return [one for one in cut if one[0] < one[1]]
