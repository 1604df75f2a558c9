"""One contract's open interest in a window: which moments of the 5-minute grid are lacking, and how they come."""

from datetime import date, datetime
from functools import partial

import numpy as np
from loguru import logger

from lake import archive, derivatives_store
from lake.archive import ArchiveError
from lake.archive_futures import PUBLISHED, ArchiveFutures
from lake.futures import GRID, KEPT_US, MOST_INTERESTS, Futures, Rows, micros_of
from lake.history import History
from lake.intervals import Opens, Span, by_day, chunks, close_us, closed, spans, without
from lake.layout import Layout
from lake.parallel import in_parallel
from lake.progress import Progress
from lake.schemas import OPEN_INTEREST
from lake.web import NotThereError
from lake.windows import DAY_US, Window, micros, moment

_SETTLED_US = DAY_US
"""What REST has not after so long is missing at the exchange."""


class OpenInterest:
    """What a run does about open interest; attributes count what it did.

    Attributes:
        added: Moments written.
        absent: Moments that the exchange turned out to have none of; they are noted, and not asked for again.
        left: Moments that could not be had yet.
        quarantined: Zips that could not be believed.
        refused: Rows of answers and zips that could not be believed.
        contradictions: Moments of which two rows differ.
    """

    def __init__(
        self, layout: Layout, symbol: str, window: Window, now: datetime, history: History, compression: str
    ) -> None:  # fmt: skip
        """Take what `lake.derivatives.run` takes, and the history of what the exchange has none of."""
        self._layout, self._symbol, self._history, self._compression = layout, symbol, history, compression
        self._window, self._now, self._now_us = window, now, micros(now)
        self.added = self.absent = self.left = self.quarantined = self.refused = self.contradictions = 0

    def lacking(self) -> Opens:
        """Return the moments, in microseconds, without open interest; the newest only when the next one has come."""
        wanted = without(closed(GRID, self._window, self._now_us), self._history.holes())
        days = [derivatives_store.lacking(self._layout, self._symbol, day, of_day) for day, of_day in by_day(wanted)]
        return np.concatenate([wanted[:0], *days])

    def by_rest(self, rest: Futures, progress: Progress) -> Opens:
        """Ask REST for what is lacking of the last 30 days; return the moments to look for in the archive.

        Those are the older ones, and those that REST lacks before something that came: of a ticker that was used again
        it only has the new contract.
        """
        wanted = self.lacking()
        young = wanted[wanted >= self._now_us - KEPT_US]
        pieces = [piece for span in spans(GRID, young) for piece in chunks(GRID, span, MOST_INTERESTS)]
        todo = [(one, partial(self._interests, rest, one)) for one in pieces]
        missing, newest = young, 0
        for number, (span, rows) in enumerate(in_parallel(todo), 1):
            missing = self._put(rows, missing)
            newest = max([newest, *micros_of(rows.table, "ts").tolist()])
            progress(number / len(todo), f"{self._symbol} {moment(span.last_us):%Y-%m-%d}")
        settled = missing < min(self._now_us - _SETTLED_US, newest)
        self.left += int((~settled).sum())
        return np.concatenate([wanted[: len(wanted) - len(young)], missing[settled]])

    def _interests(self, rest: Futures, span: Span) -> Rows:
        """Ask again where nothing comes: it may be a slip, and what is missing is not asked for again."""
        rows = rest.interests(self._symbol, span)
        return rows if len(rows.table) else rest.interests(self._symbol, span)

    def by_archive(self, zips: ArchiveFutures, wanted: Opens, progress: Progress) -> None:
        """Take moments from the zips of their days; what a zip lacks is noted once nobody will revise it any more.

        A moment whose zip was refused, or has odd rows, may be there and cannot be read: it is left, not absent.
        """
        days = [day for day in _zip_days(wanted) if archive.published(day, self._now)]
        missing, doubtful = wanted, set[date]()
        for number, (day, rows) in enumerate(in_parallel((day, partial(self._zip, zips, day)) for day in days), 1):
            if rows is None or rows.refused:
                doubtful.add(day)
            if rows is None:
                self.quarantined += 1
            else:
                missing = self._put(rows, missing)
            progress(number / len(days), f"{self._symbol} {day}")
        unread = np.isin((missing - 1) // DAY_US, [_number(day) for day in doubtful])
        self.left += int(unread.sum())
        self._missing(missing[~unread], micros(self._now - PUBLISHED))

    def in_archive(self, zips: ArchiveFutures) -> bool:
        """Whether the archive has a zip of the first or the last day of which something is lacking."""
        days = _zip_days(self.lacking())
        return any(self._zip(zips, day) is not _NOTHING for day in dict.fromkeys(days[:1] + days[-1:]))

    def _zip(self, zips: ArchiveFutures, day: date) -> Rows | None:
        """A day's zip; `_NOTHING` where there is none, None where it cannot be believed."""
        try:
            return zips.metrics(day)
        except NotThereError:
            return _NOTHING
        except ArchiveError as error:
            logger.warning("{} {}: {}", self._symbol, day, error)
            return None

    def _put(self, rows: Rows, wanted: Opens) -> Opens:
        """Write what was wanted of an answer; return what it lacks."""
        put = derivatives_store.put_interests(self._layout, self._symbol, rows.table, self._compression, wanted)
        self.added += put.added
        self.contradictions += put.contradictions
        self.refused += rows.refused
        return wanted[~np.isin(wanted, micros_of(rows.table, "ts"))]

    def _missing(self, times: Opens, settled_us: int) -> None:
        """Note what is missing for so long that it will not come."""
        settled = times[times < settled_us]
        self._history.put_holes((one.first_us, close_us(GRID, one.last_us)) for one in spans(GRID, settled))
        self.absent += len(settled)
        self.left += len(times) - len(settled)


_NOTHING = Rows(OPEN_INTEREST.empty())


def _number(day: date) -> int:
    return Window.of_day(day).start_us // DAY_US


def _zip_days(times: Opens) -> list[date]:
    """Return the days whose zips have some moments: the midnight that ends a day is in its zip."""
    return [moment(int(number) * DAY_US).date() for number in np.unique((times - 1) // DAY_US)]
