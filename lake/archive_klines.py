"""Klines out of the archive's zips: a day's own zip, and its month's where that is needed.

A zip is believed when its SHA-256 is that of its CHECKSUM; without a CHECKSUM, when every row of it is a candle. Its
rows are judged one by one (`lake.kline_rows`): those that are not candles go to the quarantine, each with its reason.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa
from loguru import logger

from lake import archive, kline_csv, quarantine
from lake.archive import ArchiveError, Fetched, Frequency, Place
from lake.errors import LakeError
from lake.intervals import Interval, Opens, ends
from lake.kline_rows import OTHER_DAY, Judged, Refused, judge
from lake.kline_store import Zip
from lake.layout import Layout
from lake.schemas import KLINES
from lake.web import NotThereError, Web
from lake.windows import DAY, Window, micros, moment

MONTHLY_ONLY = ("3d", "1w", "1M")
"""Intervals that the archive has no daily zips of."""
_NONE = np.empty(0, np.int64)


_UNITS = {1: "microseconds", 1000: "milliseconds"}


@dataclass(frozen=True)
class File:
    """A zip of the archive: where it is, and the day or month that it is of."""

    place: Place
    window: Window


@dataclass(frozen=True)
class Read:
    """A zip that was believed: what is in it, and what it is."""

    judged: Judged
    source: Zip


Tried = Read | NotThereError | ArchiveError
"""What came of asking for a zip."""


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


@dataclass
class Seen:
    """What was wrong with zips, by their names.

    Attributes:
        refused: Those that were not believed.
        imperfect: Those that were believed although something was wrong with them, which the log names.
        rows: How many rows of a zip that was believed were refused.
    """

    refused: set[str] = field(default_factory=set)
    imperfect: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)


class ArchiveKlines:
    """The zips of one symbol and interval, from any thread. A month's zip is fetched once for all of its days.

    Attributes:
        seen: What was wrong with them.
    """

    def __init__(self, web: Web, layout: Layout, symbol: str, interval: Interval, now: datetime) -> None:
        """Take the connection; ``now`` decides which months are over."""
        self._web, self._layout, self._symbol, self._interval, self._now = web, layout, symbol, interval, now
        self._kept: dict[str, Tried] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self.seen = Seen()

    def of_day(self, day: date, wanted: Opens, *, alone: bool) -> Found:
        """Return what there is of some candles that open on a day.

        A day's own zip is preferred to its month's: the two can differ, and the day's agrees with REST. The month's is
        read where there is no zip of the day, where that is refused, and for what it lacks where nobody else is asked.

        Args:
            day: The UTC day.
            wanted: Open times.
            alone: Whether nobody else can be asked for them.

        Raises:
            WebError: no answer.
        """
        tried = [self._tried(file) for file in self._files(day, "daily")]
        lacking = _without(wanted, tried)
        if len(lacking) and (alone or not _believed(tried)) and archive.month_over(day, self._now):
            tried += [self._tried(self._file(day, "monthly"))]
        tables, sources, lacking = [KLINES.empty()], list[Zip](), wanted
        for read in _believed(tried):
            mine = read.judged.table.filter(pa.array(np.isin(read.judged.opens, lacking)))
            if len(mine):
                tables, sources = [*tables, mine], [*sources, read.source]
            lacking = _without(lacking, [read])
        there = any(not isinstance(one, NotThereError) for one in tried)
        believed = [read.judged for read in _believed(tried)]
        sure = all(one.dated for one in believed) if believed else not there and self.settled(day)
        unsettled = np.concatenate([_NONE, *(one.unsettled for one in believed)])
        none = lacking[~np.isin(lacking, unsettled)] if sure else lacking[:0]
        return Found(pa.concat_tables(tables), sources[0] if len(sources) == 1 else None, there, none)

    def has(self, days: list[date]) -> bool:
        """Whether there is any zip of a month in which some days lie: of one of those days, or of the month.

        Raises:
            WebError: no answer.
        """
        files = [file for day in days for file in self._files(day, "daily")]
        files += [self._file(days[0], "monthly")] if archive.month_over(days[0], self._now) else []
        return any(not isinstance(self._tried(file, keep=True), NotThereError) for file in files)

    def settled(self, day: date) -> bool:
        """Whether a zip that is not there will not come any more: its month has been over for days."""
        return archive.month_over(day, self._now - archive.SETTLED)

    def file(self, found: Zip, day: date) -> File:
        """Return the zip that a day's candles are noted to come from."""
        daily = self._file(day, "daily")
        return daily if daily.place.name == found.name else self._file(day, "monthly")

    def said(self, file: File) -> str | None:
        """Return the SHA-256 that the archive now says a zip has."""
        return archive.checksum(self._web, file.place)

    def zip(self, file: File) -> Read:
        """Return all candles of a zip.

        Raises:
            NotThereError: the archive has no such zip (yet).
            ArchiveError: it cannot be believed, and is in the quarantine.
            WebError: no answer.
        """
        name, found = file.place.name, archive.download(self._web, file.place)
        try:
            judged = self._judged(found, file.window)
        except LakeError as error:
            self.seen.refused.add(name)
            refused = archive.refused(self._layout, found, error)
            logger.warning("{}", refused)
            raise refused from error
        return Read(judged, Zip(name, found.sha256))

    def _files(self, day: date, frequency: Frequency) -> list[File]:
        return [self._file(day, frequency)] if frequency == "monthly" or self._interval not in MONTHLY_ONLY else []

    def _file(self, day: date, frequency: Frequency) -> File:
        window = Window.of_day(day) if frequency == "daily" else _month_of(day)
        return File(archive.klines(self._symbol, self._interval, day, frequency), window)

    def _tried(self, file: File, *, keep: bool = False) -> Tried:
        """Return what `zip` returns or raises, which is kept; a day's candles only where asked, until they are used."""
        name = file.place.name
        if file.window.end - file.window.start > DAY:
            with self._lock_of(name):
                if name not in self._kept:
                    self._kept[name] = self._fresh(file)
                return self._kept[name]
        found = self._kept.pop(name, None) or self._fresh(file)
        if keep or not isinstance(found, Read):
            self._kept[name] = found
        return found

    def _lock_of(self, name: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(name, threading.Lock())

    def _fresh(self, file: File) -> Tried:
        try:
            return self.zip(file)
        except (NotThereError, ArchiveError) as error:
            return error

    def _judged(self, found: Fetched, window: Window) -> Judged:
        """Return the candles of a zip; log what is wrong with its rows, and put those into the quarantine.

        Raises:
            LakeError: it has none, or it has no CHECKSUM and a row that is not a candle.
        """
        table = kline_csv.read(found.text())
        judged = judge(self._symbol, self._interval, table.columns, table.lines, window)
        rows = [replace(row, reason=table.unread.get(row.row, row.reason)) for row in judged.refused]
        if not len(judged.table):
            raise LakeError(f"none of its {len(rows):,} rows is a candle of {window}: {rows[0].reason}")
        strange = [row for row in rows if row.reason != OTHER_DAY]
        if found.said is None and strange:
            raise LakeError(f"it has no CHECKSUM, and {len(strange):,} rows that are not candles: {strange[0].reason}")
        name, remarks = found.place.name, self._remarks(judged, rows, window.start.date())
        if found.said is None:
            remarks.append("no CHECKSUM, but each of its rows is a candle of its day or month")
        if remarks:
            self.seen.imperfect.add(name)
            logger.warning("{}: {}", name, "; ".join(remarks))
        if rows:
            self.seen.rows[name] = len(rows)
            records = (quarantine.record(name, row.row, row.reason, row.line.encode()) for row in rows)
            quarantine.add(self._layout.quarantine / "archive" / f"{name}.rows.jsonl", records)
        return judged

    @staticmethod
    def _remarks(judged: Judged, rows: list[Refused], day: date) -> list[str]:
        expected, units = archive.unit_us(day), " and ".join(_UNITS[unit] for unit in sorted(judged.units))
        return [
            *(f"rows refused: {count:,} ({why})" for why, count in Counter(row.reason for row in rows).items()),
            *([f"rows repeated: {judged.repeated:,}, each taken once"] if judged.repeated else []),
            *([] if judged.ordered else ["rows not in the order of time, sorted"]),
            *([] if judged.units == {expected} else [f"times in {units}, expected {_UNITS[expected]}"]),
        ]


def _month_of(day: date) -> Window:
    first = Window.of_day(day.replace(day=1)).start
    return Window(first, moment(int(ends("1M", np.array([micros(first)]))[0])))


def _believed(tried: list[Tried]) -> list[Read]:
    return [one for one in tried if isinstance(one, Read)]


def _without(wanted: Opens, tried: list[Tried]) -> Opens:
    for one in _believed(tried):
        wanted = wanted[~np.isin(wanted, one.judged.opens)]
    return wanted
