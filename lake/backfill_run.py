"""One backfill of one symbol: plan, fetch some requests ahead of what is written, note what is not there, count."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
from loguru import logger

from lake import kline_store, quarantine
from lake.archive_klines import ArchiveKlines
from lake.backfill_fetch import Fetcher, Got
from lake.backfill_job import Backfilled, Job
from lake.backfill_known import Known, Listing, Survey, lacks, listing, survey
from lake.backfill_plan import Days, Plan, months, plan, samples
from lake.backfill_revised import Revisions
from lake.errors import LakeError
from lake.history import History
from lake.history import Source as Asked
from lake.intervals import Interval, Opens, Span, among, close_us, spans
from lake.kline_rows import off_grid
from lake.layout import Layout
from lake.parallel import Behind, in_parallel
from lake.progress import Progress
from lake.ranges import Range
from lake.spot import Info, Spot
from lake.web import Web
from lake.windows import DAY_US, moment

_WRITERS = 4
"""A file takes 12 ms to be safe on the disk; written one by one, answers wait behind them (2.9 s, not 2.0)."""
_NO_TIMES = np.empty(0, np.int64)
_SETTLED_US = DAY_US
"""Candles that are missing for longer than this are missing at the exchange: its replicas are not that late."""


@dataclass
class Run:
    """One run for one symbol."""

    layout: Layout
    job: Job
    info: Info
    rest: Spot
    web: Web
    history: History
    compression: str
    progress: Progress
    now_us: int = 0
    listing: Listing = field(default_factory=Listing)
    added: int = 0
    archived: int = 0
    off_grid: int = 0
    rows: int = 0
    doubted: list[Opens] = field(default_factory=list)

    def all(self) -> Backfilled:
        """Do it."""
        self.now_us = self.info.now_us()
        of = self.job.symbol, self.job.interval
        self.zips = ArchiveKlines(self.web, self.layout, *of, moment(self.now_us))
        before, revised = self._survey(), 0
        if self.job.source != "rest":
            revised = Revisions(self.layout, *of, self.zips, self.compression).take(before)
            before = self._survey() if revised else before
        if lacks(before):
            self.listing = listing(self.rest, self.history, self.job, self.info)
            if not self.listing.served and self.job.source == "rest":
                raise LakeError(
                    "the exchange does not list this pair (any more): check the name, or take source=archive, which "
                    "keeps the history of delisted pairs"
                )
            self._fetch(before)
        after = self._survey()
        lacking = np.concatenate([_NO_TIMES, *(held.lacking for held in after.values())])
        settled = 0 if self.listing.listed else int(among(lacking, self.history.holes("archive")).sum())
        self._refuse_unknown(after)
        done = Backfilled(
            self.job.symbol, self.added, self.archived, self.off_grid,
            lacks(before) - self.added - len(lacking), settled, len(lacking) - settled,
            self.rows + sum(self.zips.seen.rows.values()), revised, len(self.zips.seen.refused),
            len(self.zips.seen.imperfect),
        )  # fmt: skip
        self._tell(done, lacking)
        return done

    def _survey(self) -> Survey:
        return survey(self.layout, self.job, self.history, self.now_us)

    def _refuse_unknown(self, found: Survey) -> None:
        """A pair that neither REST nor the archive has anything of is a mistyped one, or of another time."""
        if self.listing.listed or self.zips.seen.refused or not lacks(found):
            return
        if not self.layout.kline_days(self.job.symbol, self.job.interval):
            raise LakeError(
                f"neither the exchange nor its archive has a candle of this pair in {self.job.window}: check the name "
                "and the range"
            )

    def _fetch(self, found: Survey) -> None:
        """Have all of it fetched; what REST turns out not to have is then looked for in the archive."""
        known, source = Known.noted(self.history, served=self.listing.served), self.job.source
        free = self.rest.budget.free()
        self._do(plan(self.job.interval, found, source, known, free, self.now_us), known)
        if source != "rest" and self.doubted:
            noted, doubted = Known.noted(self.history, served=known.served), np.concatenate(self.doubted)
            known = replace(noted, not_at_rest=[*noted.not_at_rest, *_ranges(self.job.interval, doubted)])
            again = plan(self.job.interval, self._survey(), source, known, free, self.now_us)
            self._do(replace(again, rest=[], days={}), known)

    def _do(self, what: Plan, known: Known) -> None:
        """Carry a plan out, some requests ahead of what is written."""
        source = self.job.source
        fetcher = Fetcher(
            self.job.symbol, self.job.interval, self.rest, None if source == "rest" else self.zips, known,
            fill=source == "auto", ended=self.info.statuses.get(self.job.symbol) == "BREAK", now_us=self.now_us,
        )  # fmt: skip
        jobs = [(_days(span), partial(fetcher.by_rest, span)) for span in what.rest]
        jobs += [([day], partial(fetcher.by_archive, day, lacking)) for day, lacking in what.days.items()]
        jobs += [
            ([day], partial(fetcher.by_archive, day, what.doubtful[day])) for day in self._found(what.doubtful, fetcher)
        ]
        due = Counter(day for days, _ in jobs for day in days)
        came: dict[date, list[Got]] = {}
        with Behind[int](_WRITERS) as writing:
            for number, (days, got) in enumerate(in_parallel(jobs), 1):
                self._note(got)
                for day in days:
                    came.setdefault(day, []).append(got)
                    due[day] -= 1
                    if not due[day]:
                        writing.add(partial(self._put, day, came.pop(day)))
                self.added += sum(writing.done())
                self.progress(number / len(jobs), f"{self.job.symbol} {max(days)}")
            self.added += sum(writing.done(wait=True))

    def _found(self, doubtful: Days, fetcher: Fetcher) -> list[date]:
        """Return the days of months of which the archive has anything; note the others, once they are settled."""
        found: list[date] = []
        looks = ((tuple(days), partial(fetcher.has, samples(days))) for days in months(doubtful).values())
        for days, there in in_parallel(looks):
            if there:
                found += days
            elif there is not None and self.zips.settled(days[0]):
                self._note_none(np.concatenate([doubtful[day] for day in days]), "archive")
        return sorted(found)

    def _put(self, day: date, came: list[Got]) -> int:
        tables = [kline_store.of_day(got.table, day) for got in came]
        source = came[0].source if len(came) == 1 else None
        table = pa.concat_tables(tables)
        return kline_store.put(
            self.layout, self.job.symbol, self.job.interval, day, table, self.compression, source
        )  # fmt: skip

    def _note(self, got: Got) -> None:
        """What a source has no candle of, and that for long, will not be asked of it again."""
        settled = got.not_at_rest[got.not_at_rest < self.now_us - _SETTLED_US]
        self.doubted += [times for times in (settled, got.unsettled) if len(times)]
        self._note_none(settled, "rest")
        self._note_none(got.not_in_archive, "archive")
        self.archived += got.archived
        self.off_grid += off_grid(got.table)
        if got.refused:
            self.rows += len(got.refused)
            name = f"{self.job.symbol}-{self.job.interval}.jsonl"
            records = (quarantine.record("/api/v3/klines", 0, row.reason, row.line.encode()) for row in got.refused)
            quarantine.add(self.layout.quarantine / "rest" / name, records)

    def _note_none(self, times: Opens, source: Asked) -> None:
        self.history.put_holes(_ranges(self.job.interval, times), source)

    def _tell(self, done: Backfilled, lacking: Opens) -> None:
        of = f"{self.job.symbol} {self.job.interval}"
        if done.off_grid:
            logger.warning(
                "{}: {:,} candles open off the grid; each is stored at the window in which it opens, with its own time "
                "in exchange_open_time", of, done.off_grid,
            )  # fmt: skip
        if self.rows:
            logger.warning("{}: {:,} rows of REST are not candles: see {}", of, self.rows, self.layout.quarantine)
        elsewhere = int(among(lacking, self.history.not_at_rest()).sum()) if self.job.source == "rest" else 0
        if elsewhere:
            logger.warning(
                "{}: {:,} candles are not at the exchange's REST; source=auto looks for them in its archive",
                of,
                elsewhere,
            )
        if done.unavailable:
            logger.warning(
                "{}: {:,} candles cannot be had: the exchange does not list the pair, and its archive has no zip with "
                "them", of, done.unavailable,
            )  # fmt: skip


def _ranges(interval: Interval, times: Opens) -> list[Range]:
    return [(span.first_us, close_us(interval, span.last_us)) for span in spans(interval, np.unique(times))]


def _days(span: Span) -> list[date]:
    return [moment(day * DAY_US).date() for day in range(span.first_us // DAY_US, span.last_us // DAY_US + 1)]
