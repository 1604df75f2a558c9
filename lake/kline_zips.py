"""Zips of klines: fetched, their rows judged one by one, believed or refused.

A zip is believed when its SHA-256 is that of its CHECKSUM; without a CHECKSUM, when every row of it is a candle. Rows
that are not candles go to the quarantine, each with its reason; a zip that is not believed goes there whole.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from loguru import logger

from lake import archive, kline_csv, quarantine
from lake.archive import ArchiveError, Fetched, Frequency, Place
from lake.errors import LakeError
from lake.intervals import Interval, ends
from lake.kline_rows import OTHER_DAY, Judged, Refused, judge
from lake.kline_store import Zip
from lake.layout import Layout
from lake.web import NotThereError, Web
from lake.windows import DAY, Window, micros, moment

MONTHLY_ONLY = ("3d", "1w", "1M")
"""Intervals that the archive has no daily zips of."""

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


class Zips:
    """The zips of one symbol and interval, from any thread. A month's is fetched once for all of its days.

    Attributes:
        seen: What was wrong with them.
    """

    def __init__(self, web: Web, layout: Layout, symbol: str, interval: Interval) -> None:
        """Take the connection, and where what is refused goes."""
        self._web, self._layout, self._symbol, self._interval = web, layout, symbol, interval
        self._kept: dict[str, Tried] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self.seen = Seen()

    def files(self, day: date, frequency: Frequency) -> list[File]:
        """Return the zip of a day, or of its month: none where the archive has no daily ones of the interval."""
        return [self.file(day, frequency)] if frequency == "monthly" or self._interval not in MONTHLY_ONLY else []

    def file(self, day: date, frequency: Frequency) -> File:
        """Return the zip of a day, or of its month."""
        window = Window.of_day(day) if frequency == "daily" else _month_of(day)
        return File(archive.klines(self._symbol, self._interval, day, frequency), window)

    def checksum(self, file: File) -> str | None:
        """Return the SHA-256 that is in a zip's CHECKSUM now."""
        return archive.checksum(self._web, file.place)

    def read(self, file: File) -> Read:
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

    def tried(self, file: File, *, keep: bool = False) -> Tried:
        """Return what `read` returns or raises, which is kept; a day's candles only where asked, until used."""
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
            return self.read(file)
        except (NotThereError, ArchiveError) as error:
            return error

    def _judged(self, found: Fetched, window: Window) -> Judged:
        """Return the candles of a zip; log what is wrong with its rows, and put those into the quarantine.

        Raises:
            LakeError: no row of it is a candle of its day or month, or it has no CHECKSUM and a row that is no candle.
        """
        table = kline_csv.read(found.text())
        judged = judge(self._symbol, self._interval, table.columns, table.lines, window)
        rows = [replace(row, reason=table.unread.get(row.row, row.reason)) for row in judged.refused]
        if not len(judged.table):
            raise LakeError(f"none of its {len(rows):,} rows is a candle of {window}: {rows[0].reason}")
        strange = [row for row in rows if row.reason != OTHER_DAY]
        if found.checksum is None and strange:
            raise LakeError(f"it has no CHECKSUM, and {len(strange):,} rows that are not candles: {strange[0].reason}")
        name, remarks = found.place.name, self._remarks(judged, rows, window.start.date())
        if found.checksum is None:
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
