"""One contract's fundings in a window: of which stretches not all are held, and how they come into the lake."""

from datetime import datetime
from functools import partial

import pyarrow as pa
from loguru import logger

from lake import derivatives_store
from lake.archive import ArchiveError
from lake.archive_futures import PUBLISHED, ArchiveFutures, month_of
from lake.derivatives_store import years
from lake.futures import Futures
from lake.history import History
from lake.layout import Layout
from lake.parallel import in_parallel
from lake.ranges import Range, gaps
from lake.web import NotThereError
from lake.windows import HOUR_US, Window, micros, moment

_SHOWN_US = HOUR_US
"""A stretch is whole when it ended so long ago: a funding shows up seconds after it was paid."""


class Fundings:
    """What a run does about fundings; attributes count what it did.

    Fundings come at no fixed interval: so it is noted of which stretches all are held, in the year's file where there
    are rows (`derivatives_store.whole`), in the history where the exchange has none.

    Attributes:
        added: Fundings written.
        quarantined: Zips that could not be believed.
    """

    def __init__(
        self, layout: Layout, symbol: str, window: Window, now: datetime, history: History, compression: str
    ) -> None:  # fmt: skip
        """Take what `lake.derivatives.run` takes, and the history of what the exchange has none of."""
        self._layout, self._symbol, self._history, self._compression = layout, symbol, history, compression
        self._now, self._now_us = now, micros(now)
        self._span = window.start_us, min(window.end_us, self._now_us)
        self.added = self.quarantined = 0

    def lacking(self) -> list[Range]:
        """Return the parts of the window, in microseconds, of which it is not known that all fundings are held."""
        known = self._history.holes()
        for year, _ in years([self._span]):
            known += derivatives_store.whole(self._layout, self._symbol, year)
        return gaps(*self._span, known)

    def by_rest(self, rest: Futures) -> None:
        """Ask REST for what is lacking.

        A stretch is whole by the exchange's clock: by ours, were it hours ahead, fundings not paid yet would be held.
        That nothing was paid in one is believed where a later funding shows that the answer was no slip.
        """
        todo = [(stretch, partial(rest.fundings, self._symbol, stretch)) for stretch in self.lacking()]
        settled_us = None
        for stretch, table in in_parallel(todo):
            settled_us = settled_us or min(self._now_us, rest.now_us()) - _SHOWN_US
            over = stretch[1] <= settled_us
            if len(table) or (over and (rest.next_funding(self._symbol, stretch[0]) or 0) >= stretch[1]):
                self._put(stretch, table, settled_us)

    def by_archive(self, zips: ArchiveFutures) -> bool:
        """Take what is lacking of months that are over out of their zips; return whether there was any zip."""
        lacking, absent = self.lacking(), list[Range]()
        days = (day for start, end in lacking for day in Window(moment(start), moment(end)).days())
        months = sorted({day.replace(day=1) for day in days})
        found = False
        for month in (month_of(one) for one in months if month_of(one).end <= self._now):
            try:
                table = zips.fundings(month.start.date())
            except NotThereError:
                absent += _within(month, lacking) if month.end + PUBLISHED <= self._now else []
                continue
            except ArchiveError as error:
                logger.warning("{} {:%Y-%m}: {}", self._symbol, month.start, error)
                self.quarantined += 1
                continue
            found = True
            for stretch in _within(month, lacking):
                self._put(stretch, table, self._now_us)
        if found:
            self._history.put_holes(absent)
        return found or self.quarantined > 0

    def _put(self, stretch: Range, table: pa.Table, settled_us: int) -> None:
        """Write an answer about a stretch; what it says is final as far as ``settled_us``."""
        times = table["funding_time"].cast(pa.int64()).to_numpy()
        for year, (start, end) in years([stretch]):
            mine, final = table.filter((times >= start) & (times < end)), (start, min(end, settled_us))
            if len(mine):
                self.added += derivatives_store.put_fundings(
                    self._layout, self._symbol, year, mine, final, self._compression
                )
            elif end <= settled_us:
                self._history.put_holes([final])


def _within(month: Window, stretches: list[Range]) -> list[Range]:
    cut = ((max(start, month.start_us), min(end, month.end_us)) for start, end in stretches)
    return [one for one in cut if one[0] < one[1]]
