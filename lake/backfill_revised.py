"""Zips that the archive has revised since candles came out of them: noticed by their CHECKSUM, and taken anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from loguru import logger

from lake import kline_store
from lake.archive import ArchiveError
from lake.archive_klines import ArchiveKlines
from lake.intervals import Interval
from lake.kline_store import Held, Zip
from lake.layout import Layout
from lake.parallel import in_parallel
from lake.web import NotThereError


@dataclass(frozen=True)
class Revisions:
    """What the archive has revised of one symbol and interval that is in the lake."""

    layout: Layout
    symbol: str
    interval: Interval
    archive: ArchiveKlines
    compression: str

    def take(self, survey: Mapping[date, Held]) -> int:
        """Compare the zips that days came out of with what the archive has now; take what was revised.

        Returns:
            How many candles changed.
        """
        days: dict[Zip, list[date]] = {}
        for day, held in survey.items():
            if held.source:
                days.setdefault(held.source, []).append(day)
        if not days:
            return 0
        return sum(changed for _, changed in in_parallel((z, partial(self._take, z, of)) for z, of in days.items()))

    def _take(self, known: Zip, days: list[date]) -> int:
        file = self.archive.file_of(known, days[0])
        try:
            if self.archive.zips.checksum(file) in (known.sha256, None):
                return 0
            read = self.archive.zips.read(file)
        except (NotThereError, ArchiveError) as error:
            logger.warning("{}: {}: its candles stay as they are", self.symbol, error)
            return 0
        put = partial(kline_store.revise, self.layout, self.symbol, self.interval)
        table = read.judged.table
        changed = sum(put(day, kline_store.of_day(table, day), self.compression, read.source) for day in days)
        logger.warning("{} was revised upstream: {:,} candles changed", known.name, changed)
        return changed
