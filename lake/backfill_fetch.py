"""Where the candles of one backfill come from: REST, zips of the archive, or the one for what the other lacks."""

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pyarrow as pa
from loguru import logger

from lake.archive_klines import ArchiveKlines, Found
from lake.backfill_known import Known
from lake.intervals import Interval, Opens, Span, chunks, opens, spans
from lake.kline_rows import Judged, Refused, close_times, open_times
from lake.kline_store import Zip
from lake.schemas import KLINES
from lake.spot import MOST_ROWS, Spot
from lake.web import WebError

_NONE = np.empty(0, np.int64)


@dataclass(frozen=True)
class Got:
    """What was asked for and came.

    Attributes:
        table: Candles, as `lake.schemas.KLINES`.
        not_at_rest: Open times that certainly are not at REST.
        unsettled: Open times of which REST has a row that is not a candle.
        not_in_archive: Open times that certainly are in no zip of the archive.
        archived: How many candles came out of a zip, and ``source`` that zip, where nothing came from elsewhere.
        refused: Rows of REST's that are not candles, of the windows asked for.
    """

    table: pa.Table = field(default_factory=KLINES.empty)
    not_at_rest: Opens = field(default_factory=_NONE.copy)
    unsettled: Opens = field(default_factory=_NONE.copy)
    not_in_archive: Opens = field(default_factory=_NONE.copy)
    archived: int = 0
    source: Zip | None = None
    refused: tuple[Refused, ...] = ()

    def and_zip(self, found: Found) -> "Got":
        """Return it with what the archive has beside."""
        return replace(
            self, table=pa.concat_tables([self.table, found.table]), not_in_archive=found.none,
            archived=len(found.table), source=found.source if not len(self.table) else None,
        )  # fmt: skip


class Fetcher:
    """The sources of one symbol and interval, from any thread.

    Args:
        symbol: The pair.
        interval: Length of a candle.
        rest: REST; it is not asked for what is known not to be there.
        zips: The archive; None where it is not to be asked.
        known: What is known of both.
        fill: Whether REST takes the place of zips that are not there.
        ended: Whether trade in the pair rests or has ended, so that no later candle need come.
        now_us: The exchange's time.
    """

    def __init__(
        self, symbol: str, interval: Interval, rest: Spot, zips: ArchiveKlines | None, known: Known, *, fill: bool,
        ended: bool, now_us: int,
    ) -> None:  # fmt: skip
        self._symbol, self._interval, self._rest, self._zips, self._known = symbol, interval, rest, zips, known
        self._fill, self._ended, self._now_us = fill, ended, now_us
        self._optional = fill and known.served
        self._unreachable = False

    def by_rest(self, span: Span) -> Got:
        """Ask REST for a span of one answer at most."""
        return self._ask(opens(self._interval, span.first_us, span.last_us + 1))

    def by_archive(self, day: date, lacking: Opens) -> Got:
        """Take a day's lacking candles out of zips; REST has those that they lack, or all where none is believed."""
        mine = self._known.of_rest(lacking)
        found = self._zipped(day, lacking, alone=not len(mine))
        if not (self._fill or found.there):
            return Got().and_zip(found)
        return self._ask(_without(mine, found.table)).and_zip(found)

    def has(self, days: list[date]) -> bool | None:
        """Whether the archive has anything of a month, by some days of it; None where it does not answer."""
        try:
            return self._zips is not None and self._zips.has(days)
        except WebError as error:
            self._excuse(error)
            return None

    def _zipped(self, day: date, wanted: Opens, *, alone: bool) -> Found:
        if self._zips is None or (alone and self._unreachable):
            return Found()
        try:
            return self._zips.of_day(day, wanted, alone=alone, vouched=self._known.served)
        except WebError as error:
            if not alone:
                raise
            self._excuse(error)
            return Found()

    def _excuse(self, error: WebError) -> None:
        """Go on where REST has served what it has, and only what it does not have cannot be looked for.

        Raises:
            WebError: the archive is what was asked for.
        """
        if not self._optional:
            raise error
        if not self._unreachable:
            logger.warning("{}: the archive does not answer for what REST does not have: {}", self._symbol, error)
        self._unreachable = True

    def _ask(self, wanted: Opens) -> Got:
        """Ask REST for open times.

        What it has no candle of, asked twice, is never asked of it again. So the second time it is asked for what
        comes next, and only where a later candle comes is it certain: an empty answer may be a slip. Of a pair whose
        trade has ended none comes.
        """
        of = self._symbol, self._interval
        came = [self._over(self._rest.klines(*of, part)) for part in self._parts(wanted)]
        table = _among(wanted, came)
        lacking = _without(wanted, table)
        later = [(part, self._over(self._rest.following(*of, part.first_us))) for part in self._parts(lacking)]
        late = _among(lacking, [judged for _, judged in later])
        answers = [*came, *(judged for _, judged in later)]
        odd = np.concatenate([_NONE, *(judged.unsettled for judged in answers)])
        absent = _without(lacking, late)
        unsettled = absent[np.isin(absent, odd)]
        dated = all(judged.dated for judged in answers)
        certain = np.full(len(absent), self._ended and dated)
        for part, judged in later:
            if dated and judged.ordered:
                newest = max([*judged.opens[-1:], *judged.unsettled[-1:]], default=0)
                certain |= (absent >= part.first_us) & (absent <= min(part.last_us, newest))
        mine = {-1, *wanted.tolist()} if any(judged.refused for judged in answers) else set()
        rows = (row for judged in answers for row in judged.refused if row.window_us in mine)
        refused = {(row.line, row.reason): row for row in rows}
        return Got(
            pa.concat_tables([table, late]), np.setdiff1d(absent[certain], unsettled), unsettled,
            refused=tuple(refused.values()),
        )  # fmt: skip

    def _over(self, judged: Judged) -> Judged:
        """Leave out candles that are still open: off the grid they end later than their window."""
        return judged.without(close_times(judged.table) >= self._now_us)

    def _parts(self, wanted: Opens) -> list[Span]:
        return [chunk for span in spans(self._interval, wanted) for chunk in chunks(self._interval, span, MOST_ROWS)]


def _among(wanted: Opens, answers: list[Judged]) -> pa.Table:
    """Return the candles that were asked for; of those that are in two answers the first."""
    table = pa.concat_tables([KLINES.empty(), *(judged.table for judged in answers)])
    times, first = np.unique(open_times(table), return_index=True)
    return table.take(pa.array(first[np.isin(times, wanted)]))


def _without(wanted: Opens, table: pa.Table) -> Opens:
    return wanted[~np.isin(wanted, open_times(table))]
