"""Open interest that older versions stored five minutes early, put right once.

From 2026-06-25 on, the archive labels a snapshot with the start of its five minutes. Earlier versions took that for
the moment of the snapshot. Which rows of a day came from the archive is written nowhere, so the archive is asked again
and each row is judged by its values: one that is not the snapshot of its moment, and is that of the next moment, is
early. Nothing else is touched.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from loguru import logger

from lake import archive, damage, derivatives_rows, derivatives_store
from lake.archive import ArchiveError
from lake.archive_futures import LABELLED_BY_START, ArchiveFutures
from lake.futures import GRID_US, KEPT_US, micros_of
from lake.history import History
from lake.intervals import Opens
from lake.layout import Layout
from lake.parallel import in_parallel
from lake.progress import Progress
from lake.schemas import OPEN_INTEREST
from lake.web import NotThereError
from lake.windows import DAY, Window, micros

Marks = npt.NDArray[np.bool_]
SERIES = "open_interest_labels"
"""The series of `lake.history` that notes a contract as judged: with a range from `LABELLED_BY_START` on."""

_MOST = 0.5
"""A day of which a larger share is early is labelled so; single rows can be alike by chance."""


class EarlyInterest:
    """One contract's days that an older version may have stored early."""

    def __init__(self, layout: Layout, symbol: str, now: datetime, notes: History, compression: str) -> None:
        """Find the days to judge: those held before this run writes any; none where all are noted as judged."""
        self._layout, self._symbol, self._now, self._compression = layout, symbol, now, compression
        self._notes, self._judged = notes, bool(notes.holes())
        held = [] if self._judged else layout.open_interest_days(symbol)
        self._days = [day for day in held if day >= LABELLED_BY_START and archive.published(day, now)]

    def mend(self, zips: ArchiveFutures, progress: Progress, *, alive: bool) -> int:
        """Judge the days, put early rows right, and note that it is done; return how many rows were early.

        What a contract that REST knows (``alive``) has of the last 30 days came from REST, whose time is the moment of
        the snapshot. The newest such day proves the archive's labels first: were it early, too, both would be labelled
        alike, so nothing is changed and a warning says so.
        """
        since = micros(self._now) - KEPT_US if alive else 2**62
        young = [day for day in self._days if alive and Window.of_day(day).start_us >= since]
        if young and _early(self._held(young[-1]), self._zips(zips, young[-1:], progress)).mean() > _MOST:
            logger.warning(
                "{}: REST labels the open interest of {} as the archive does, by the start of its five minutes: older "
                "days are left as they are; please report this", self._symbol, young[-1],
            )  # fmt: skip
            return 0
        old = [day for day in self._days if day not in young]
        known = self._zips(zips, old, progress)
        early = sum(self._mend(day, known) for day in old)
        if not self._judged:
            self._notes.put_holes([(Window.of_day(LABELLED_BY_START).start_us, micros(self._now))])
        return early

    def _zips(self, zips: ArchiveFutures, days: Sequence[date], progress: Progress) -> pa.Table:
        """Return the archive's snapshots of some days; a day's first one is in the zip of the day before."""
        asked = sorted({day - before for day in days for before in (0 * DAY, DAY)})
        tables = [OPEN_INTEREST.empty()]
        jobs = ((day, partial(self._zip, zips, day)) for day in asked)
        for number, (day, table) in enumerate(in_parallel(jobs), 1):
            tables.append(table)
            progress(number / len(asked), f"{self._symbol} {day}, again")
        return derivatives_rows.interests(pa.concat_tables(tables))[0]

    def _zip(self, zips: ArchiveFutures, day: date) -> pa.Table:
        try:
            return zips.metrics(day).table
        except NotThereError:
            return OPEN_INTEREST.empty()
        except ArchiveError as error:
            logger.warning("{} {}: {}", self._symbol, day, error)
            return OPEN_INTEREST.empty()

    def _held(self, day: date) -> pa.Table:
        load = partial(derivatives_store.interests, self._layout, self._symbol, day)
        return damage.sound(self._layout, load, OPEN_INTEREST.empty())

    def _mend(self, day: date, known: pa.Table) -> int:
        """Put a day's early rows right; drop those of which the archive does not have their own snapshot."""
        held = self._held(day)
        early, times = _early(held, known), micros_of(held, "ts")
        own = known.filter(np.isin(micros_of(known, "ts"), times[early]))
        if not len(own):  # equal by chance, or nothing to compare with
            return 0
        what = "{} {}: {} moments of open interest were five minutes early: {} put right, the others dropped"
        logger.warning(what, self._symbol, day, early.sum(), len(own))
        table = pa.concat_tables([held.filter(~early), own])
        derivatives_store.replace_interests(self._layout, self._symbol, day, table, self._compression)
        return int(early.sum())


def _early(held: pa.Table, known: pa.Table) -> Marks:
    """Return which rows have the values of the next moment, and not those of their own."""
    times = micros_of(held, "ts")
    return _same(held, known, times + GRID_US) & ~_same(held, known, times)


def _same(held: pa.Table, known: pa.Table, times: Opens) -> Marks:
    """Return which rows have the values that are known of some times, one a row."""
    if not len(known):
        return np.zeros(len(times), bool)
    there = micros_of(known, "ts")
    place = np.minimum(np.searchsorted(there, times), len(there) - 1)
    found: Marks = there[place] == times
    for name in ("open_interest", "open_interest_value"):
        found &= known[name].to_numpy()[place] == held[name].to_numpy()
    return found
