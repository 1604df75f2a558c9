"""Klines out of the archive: a day's own zip, and its month's where that is needed."""

from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import pyarrow as pa

from lake import archive
from lake.archive import ArchiveError
from lake.intervals import Interval, Opens
from lake.kline_store import Zip
from lake.kline_zips import File, Read, Seen, Tried, Zips
from lake.layout import Layout
from lake.schemas import KLINES
from lake.web import NotThereError, Web

_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Found:
    """What the archive has of some candles of a day.

    Attributes:
        table: Candles, as `lake.schemas.KLINES`.
        source: The zip, where all of them are out of one.
        there: Whether there was any zip, believed or not.
        none: Open times that certainly are in no zip of it.
    """

    table: pa.Table = field(default_factory=KLINES.empty)
    source: Zip | None = None
    there: bool = False
    none: Opens = field(default_factory=_NONE.copy)


class ArchiveKlines:
    """What the archive has of one symbol and interval, from any thread."""

    def __init__(self, web: Web, layout: Layout, symbol: str, interval: Interval, now: datetime) -> None:
        """Take the connection; ``now`` decides which months are over."""
        self.zips, self._now = Zips(web, layout, symbol, interval), now

    @property
    def seen(self) -> Seen:
        """What was wrong with zips."""
        return self.zips.seen

    def of_day(self, day: date, wanted: Opens, *, alone: bool, vouched: bool) -> Found:
        """Return what there is of some candles that open on a day.

        A day's own zip is preferred to its month's: the two can differ, and the day's agrees with REST. The month's is
        read where there is no zip of the day, where that is refused, and for what it lacks where nobody else is asked.

        Args:
            day: The UTC day.
            wanted: Open times.
            alone: Whether nobody else can be asked for them.
            vouched: Whether REST speaks for itself, so that a day's zip without them is enough. Else the month's must
                lack them too, or not come any more.

        Raises:
            WebError: no answer.
        """
        month = self.zips.file(day, "monthly")
        tried = [self.zips.tried(file) for file in self.zips.files(day, "daily")]
        lacking = _without(wanted, tried)
        if len(lacking) and (alone or not _believed(tried)) and archive.month_over(day, self._now):
            tried += [self.zips.tried(month)]
        tables, sources, lacking = [KLINES.empty()], list[Zip](), wanted
        for read in _believed(tried):
            mine = read.judged.table.filter(pa.array(np.isin(read.judged.opens, lacking)))
            if len(mine):
                tables, sources = [*tables, mine], [*sources, read.source]
            lacking = _without(lacking, [read])
        there = any(not isinstance(one, NotThereError) for one in tried)
        whole_month = any(read.source.name == month.place.name for read in _believed(tried))
        sure = self._is_sure(day, tried, vouched=vouched or whole_month)
        unsettled = np.concatenate([_NONE, *(read.judged.unsettled for read in _believed(tried))])
        none = lacking[~np.isin(lacking, unsettled)] if sure else lacking[:0]
        return Found(pa.concat_tables(tables), sources[0] if len(sources) == 1 else None, there, none)

    def _is_sure(self, day: date, tried: list[Tried], *, vouched: bool) -> bool:
        """Whether what is in no zip that was believed is not in the archive."""
        over = self.settled(day) and not any(isinstance(one, ArchiveError) for one in tried)
        if believed := _believed(tried):
            return all(read.judged.dated for read in believed) and (vouched or over)
        return over

    def has(self, days: list[date]) -> bool:
        """Whether there is any zip of a month in which some days lie: of one of those days, or of the month.

        Raises:
            WebError: no answer.
        """
        files = [file for day in days for file in self.zips.files(day, "daily")]
        files += [self.zips.file(days[0], "monthly")] if archive.month_over(days[0], self._now) else []
        return any(not isinstance(self.zips.tried(file, keep=True), NotThereError) for file in files)

    def settled(self, day: date) -> bool:
        """Whether a zip that is not there will not come any more: its month has been over for days."""
        return archive.month_over(day, self._now - archive.SETTLED)

    def file_of(self, found: Zip, day: date) -> File:
        """Return the zip that a day's candles are noted to come from."""
        daily = self.zips.file(day, "daily")
        return daily if daily.place.name == found.name else self.zips.file(day, "monthly")


def _believed(tried: list[Tried]) -> list[Read]:
    return [one for one in tried if isinstance(one, Read)]


def _without(wanted: Opens, tried: list[Tried]) -> Opens:
    for one in _believed(tried):
        wanted = wanted[~np.isin(wanted, one.judged.opens)]
    return wanted
