"""Klines out of the archive's zips: a day's own zip, else its month's."""

import threading
from collections.abc import Callable
from datetime import date, datetime

import numpy as np
import pyarrow as pa

from lake import archive, kline_store
from lake.archive import ArchiveError, Frequency, Place
from lake.errors import LakeError
from lake.intervals import Interval, opens
from lake.kline_store import FIELDS, Zip
from lake.layout import Layout
from lake.web import NotThereError, Web
from lake.windows import DAY_US, Window, iso, micros, moment

_DOUBLES = {1, 2, 3, 4, 5, 7, 9, 10}
_KINDS = [pa.float64() if at in _DOUBLES else pa.int64() for at in range(FIELDS - 1)] + [pa.string()]
_MONTHLY_ONLY = ("3d", "1w", "1M")


class ArchiveKlines:
    """The zips of one symbol and interval, from any thread. A month's zip is fetched once for all of its days."""

    def __init__(self, web: Web, layout: Layout, symbol: str, interval: Interval, now: datetime) -> None:
        """Take the connection; ``now`` decides which months are over."""
        self._web, self._layout, self._symbol, self._interval, self._now = web, layout, symbol, interval, now
        self._months: dict[str, tuple[pa.Table, Zip] | NotThereError | ArchiveError] = {}
        self._one_month = threading.Lock()

    def day(self, day: date) -> tuple[pa.Table, Zip]:
        """Return the candles that open on a day, as `lake.schemas.KLINES`, and the zip they are from.

        A day's own zip is preferred to its month's: the two can differ, and the day's agrees with REST.

        Raises:
            NotThereError: the archive has neither zip (yet).
            ArchiveError: the zip cannot be believed.
            WebError: no answer.
        """
        if self._interval not in _MONTHLY_ONLY:
            try:
                return self.zip(self._place(day, "daily"), day)
            except NotThereError:
                pass
        if not archive.month_over(day, self._now):
            raise NotThereError(f"{self._symbol} {day}: not in the archive yet")
        table, source = self._month(day)
        return kline_store.of_day(table, day), source

    def source(self, found: Zip, day: date) -> Place:
        """Return where the zip is that a day's candles are noted to come from."""
        daily = self._place(day, "daily")
        return daily if daily.name == found.name else self._place(day, "monthly")

    def said(self, place: Place) -> str | None:
        """Return the SHA-256 that the archive now says a zip has."""
        return archive.checksum(self._web, place)

    def zip(self, place: Place, day: date) -> tuple[pa.Table, Zip]:
        """Return all candles of a zip, a day's or its month's, and what it is. Raises what `day` does."""
        table, digest = archive.fetch(self._web, self._layout, place, self._parser(place, day))
        return table, Zip(place.name, digest)

    def _place(self, day: date, frequency: Frequency) -> Place:
        return archive.klines(self._symbol, self._interval, day, frequency)

    def _month(self, day: date) -> tuple[pa.Table, Zip]:
        place = self._place(day, "monthly")
        with self._one_month:
            if place.name not in self._months:
                try:
                    self._months[place.name] = self.zip(place, day)
                except (NotThereError, ArchiveError) as error:
                    self._months[place.name] = error
            found = self._months[place.name]
        if isinstance(found, Exception):
            raise type(found)(str(found))
        return found

    def _parser(self, place: Place, day: date) -> Callable[[bytes], pa.Table]:
        window = Window.of_day(day) if place == self._place(day, "daily") else _month_of(day)

        def parse(text: bytes) -> pa.Table:
            columns = archive.table(text, _KINDS)
            found = kline_store.assemble(self._symbol, columns, archive.unit_us(day))
            times = kline_store.open_times(found)
            grid = opens(self._interval, window.start_us, window.end_us)
            strange = times[~np.isin(times, grid)]
            if len(strange):
                raise LakeError(f"it has a candle of {iso(moment(int(strange[0])))}, which is not of {window}")
            if not len(times) or (np.diff(times) <= 0).any():
                raise LakeError("its candles are not in order, or there is none")
            return found

        return parse


def _month_of(day: date) -> Window:
    first = Window.of_day(day.replace(day=1)).start
    after = opens("1M", micros(first) + 1, micros(first) + 40 * DAY_US)
    return Window(first, moment(int(after[0])))
