"""One contract's open interest in a window: which moments of the 5-minute grid are lacking, and how they come."""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial

import numpy as np
import pyarrow as pa
from loguru import logger

from lake import archive, derivatives_store
from lake.archive import ArchiveError
from lake.archive_futures import PUBLISHED, ArchiveFutures
from lake.futures import GRID, KEPT_US, MOST_INTERESTS, Futures, micros_of
from lake.history import History
from lake.intervals import Opens, Span, by_day, chunks, close_us, closed, spans, without
from lake.layout import Layout
from lake.parallel import in_parallel
from lake.schemas import OPEN_INTEREST
from lake.web import NotThereError
from lake.windows import DAY_US, Window, micros, moment

Progress = Callable[[float, str], None]
"""Told how much of the work is done (0 to 1) and what is being done."""
_SETTLED_US = DAY_US
"""What REST has not after so long is missing at the exchange."""


class OpenInterest:
    """What a run does about open interest; attributes count what it did.

    Attributes:
        added: Moments written.
        absent: Moments that the exchange turned out to have none of; they are noted, and not asked for again.
        left: Moments that could not be had yet.
        quarantined: Zips that could not be believed.
    """

    def __init__(
        self, layout: Layout, symbol: str, window: Window, now: datetime, history: History, compression: str
    ) -> None:  # fmt: skip
        """Take what `lake.derivatives.run` takes, and the history of what the exchange has none of."""
        self._layout, self._symbol, self._history, self._compression = layout, symbol, history, compression
        self._window, self._now, self._now_us = window, now, micros(now)
        self.added = self.absent = self.left = self.quarantined = 0

    def lacking(self) -> Opens:
        """Return the moments, in microseconds, without open interest; the newest only when the next one has come."""
        wanted = without(closed(GRID, self._window, self._now_us), self._history.holes())
        days = [derivatives_store.lacking(self._layout, self._symbol, day, of_day) for day, of_day in by_day(wanted)]
        return np.concatenate([wanted[:0], *days])

    def old(self) -> Opens:
        """Return the lacking moments that REST does not have any more."""
        wanted = self.lacking()
        return wanted[wanted < self._now_us - KEPT_US]

    def by_rest(self, rest: Futures, progress: Progress) -> None:
        """Ask REST for what is lacking of the last 30 days; what lies before something that came is missing."""
        wanted = self.lacking()
        young = wanted[wanted >= self._now_us - KEPT_US]
        pieces = [piece for span in spans(GRID, young) for piece in chunks(GRID, span, MOST_INTERESTS)]
        todo = [(one, partial(self._interests, rest, one)) for one in pieces]
        missing, newest = young, 0
        for number, (span, table) in enumerate(in_parallel(todo), 1):
            missing = self._put(table, missing)
            newest = max([newest, *micros_of(table, "ts")])
            progress(number / len(todo), f"{self._symbol} {moment(span.last_us):%Y-%m-%d}")
        self._missing(missing, min(self._now_us - _SETTLED_US, newest))

    def _interests(self, rest: Futures, span: Span) -> pa.Table:
        """Ask again where nothing comes: it may be a slip, and what is missing is not asked for again."""
        table = rest.interests(self._symbol, span)
        return table if len(table) else rest.interests(self._symbol, span)

    def by_archive(self, zips: ArchiveFutures, wanted: Opens, progress: Progress) -> None:
        """Take moments out of their days' zips. The midnight that begins a day may be in the zip before."""
        asked, refused, missing = set[date](), set[date](), wanted
        for before in (0, DAY_US):
            look = missing[missing % DAY_US == 0] if before else missing
            days = [day for day in _days(look - before) if archive.published(day, self._now) and day not in asked]
            asked |= set(days)
            jobs = [(day, partial(self._zip, zips, day)) for day in days]
            for number, (day, table) in enumerate(in_parallel(jobs), 1):
                if table is None:
                    refused.add(day)
                else:
                    missing = self._put(table, missing)
                progress(number / len(days), f"{self._symbol} {day}")
        self.quarantined += len(refused)
        of_refused = np.isin(missing // DAY_US, [_number(day) for day in refused])
        self.left += int(of_refused.sum())
        self._missing(missing[~of_refused], micros(self._now - PUBLISHED))

    def in_archive(self, zips: ArchiveFutures) -> bool:
        """Whether the archive has the day of the oldest moment that is lacking."""
        return any(self._zip(zips, day) is not _NOTHING for day in _days(self.lacking()[:1]))

    def _zip(self, zips: ArchiveFutures, day: date) -> pa.Table | None:
        """A day's zip; `_NOTHING` where there is none, None where it cannot be believed."""
        try:
            return zips.metrics(day)
        except NotThereError:
            return _NOTHING
        except ArchiveError as error:
            logger.warning("{} {}: {}", self._symbol, day, error)
            return None

    def _put(self, table: pa.Table, wanted: Opens) -> Opens:
        """Write what was wanted of an answer; return what it lacks."""
        times = table["ts"].cast(pa.int64()).to_numpy()
        fresh = table.filter(np.isin(times, wanted))
        self.added += derivatives_store.put_interests(self._layout, self._symbol, fresh, self._compression)
        return wanted[~np.isin(wanted, times)]

    def _missing(self, times: Opens, settled_us: int) -> None:
        """Note what is missing for so long that it will not come."""
        settled = times[times < settled_us]
        self._history.put_holes((one.first_us, close_us(GRID, one.last_us)) for one in spans(GRID, settled))
        self.absent += len(settled)
        self.left += len(times) - len(settled)


_NOTHING = OPEN_INTEREST.empty()


def _number(day: date) -> int:
    return Window.of_day(day).start_us // DAY_US


def _days(times: Opens) -> list[date]:
    return [moment(int(number) * DAY_US).date() for number in np.unique(times // DAY_US)]
