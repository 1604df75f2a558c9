"""Where the candles of one backfill come from: REST, a zip of the archive, or REST for what a zip lacks."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from loguru import logger

from lake import kline_store
from lake.archive import ArchiveError
from lake.archive_klines import ArchiveKlines
from lake.intervals import Interval, Opens, Span, chunks, opens, spans
from lake.kline_store import Zip
from lake.schemas import KLINES
from lake.spot import MOST_ROWS, Spot
from lake.web import NotThereError


@dataclass(frozen=True)
class Got:
    """What was asked for and came.

    Attributes:
        table: Candles, as `lake.schemas.KLINES`.
        absent: Open times that REST was asked for and certainly has no candle of.
        left: How many candles did not come, though there may be some.
        archived: How many candles came out of a zip, and ``source`` that zip, where nothing came from elsewhere.
        quarantined: How many zips could not be believed.
    """

    table: pa.Table
    absent: Opens
    left: int = 0
    archived: int = 0
    source: Zip | None = None
    quarantined: int = 0


class Fetcher:
    """The sources of one symbol and interval, from any thread.

    Args:
        symbol: The pair.
        interval: Length of a candle.
        rest: REST; None where it is not to be asked, because it does not know the pair.
        zips: The archive.
        fill: Whether REST takes the place of zips that are not there.
        ended: Whether trade in the pair rests or has ended, so that no later candle need come.
    """

    def __init__(
        self, symbol: str, interval: Interval, rest: Spot | None, zips: ArchiveKlines, fill: bool, ended: bool
    ) -> None:  # fmt: skip
        self._symbol, self._interval, self._rest, self._zips = symbol, interval, rest, zips
        self._fill, self._ended = fill, ended

    def by_rest(self, span: Span) -> Got:
        """Ask REST for a span of one answer at most."""
        return self._ask(opens(self._interval, span.first_us, span.last_us + 1))

    def by_archive(self, day: date, lacking: Opens) -> Got:
        """Take a day's lacking candles out of its zip; REST fills in what it lacks, or all where it is not believed."""
        try:
            found, source = self._zips.day(day)
        except NotThereError:
            return self._ask(lacking) if self._fill else Got(KLINES.empty(), lacking[:0], left=len(lacking))
        except ArchiveError as error:
            logger.warning("{} {}: {}; its candles are asked of REST", self._symbol, day, error)
            got = self._ask(lacking)
            return Got(got.table, got.absent, got.left, quarantined=1)
        table = found.filter(pa.array(np.isin(kline_store.open_times(found), lacking)))
        rest = self._ask(lacking[~np.isin(lacking, kline_store.open_times(table))])
        whole = source if not len(rest.table) else None
        return Got(pa.concat_tables([table, rest.table]), rest.absent, rest.left, len(table), whole)

    def _ask(self, wanted: Opens) -> Got:
        """Ask REST for open times. What it has no candle of, asked twice, is `absent`; without REST it is `left`.

        What is absent is never asked for again. So the second time it is asked for what comes next, and only where a
        later candle comes is it certain: an empty answer may be a slip. Of a pair whose trade has ended none comes.
        """
        if (rest := self._rest) is None:
            return Got(KLINES.empty(), wanted[:0], left=len(wanted))
        of = self._symbol, self._interval
        came = _among(wanted, [rest.klines(*of, part) for part in self._parts(wanted)])
        lacking = _without(wanted, came)
        later = [(part, rest.following(*of, part.first_us)) for part in self._parts(lacking)]
        late = _among(lacking, [table for _, table in later])
        absent = _without(lacking, late)
        certain = np.full(len(absent), self._ended)
        for part, table in later:
            newest = max(kline_store.open_times(table), default=0)
            certain |= (absent >= part.first_us) & (absent <= min(part.last_us, newest))
        return Got(pa.concat_tables([came, late]), absent[certain], left=int((~certain).sum()))

    def _parts(self, wanted: Opens) -> list[Span]:
        return [chunk for span in spans(self._interval, wanted) for chunk in chunks(self._interval, span, MOST_ROWS)]


def _among(wanted: Opens, tables: list[pa.Table]) -> pa.Table:
    table = pa.concat_tables([KLINES.empty(), *tables])
    return table.filter(pa.array(np.isin(kline_store.open_times(table), wanted)))


def _without(wanted: Opens, table: pa.Table) -> Opens:
    return wanted[~np.isin(wanted, kline_store.open_times(table))]
