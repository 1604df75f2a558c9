"""Official klines into the lake: only what is missing, by REST or from the archive, a day at a time.

A day is written when all that it lacks has come, so a killed run loses at most the days it was at, and the next one
goes on there. What the exchange turns out to have none of is noted (`lake.history`) and not asked for again.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
from loguru import logger

from lake import kline_store, locks, quarantine, spot
from lake.archive_klines import ArchiveKlines
from lake.backfill_fetch import Fetcher, Got
from lake.backfill_plan import Days, Known, Plan, Source, months, plan, samples
from lake.backfill_revised import Revisions
from lake.errors import LakeError
from lake.history import History
from lake.history import Source as Asked
from lake.intervals import Interval, Opens, Span, among, close_us, spans, without
from lake.kline_rows import off_grid
from lake.kline_store import Held
from lake.layout import Layout
from lake.never_existed import reconsider
from lake.parallel import Behind, in_parallel
from lake.progress import Progress, quiet
from lake.ranges import Range
from lake.sections import Binance
from lake.spot import Info, Spot
from lake.web import RefusedError, Web, WebError
from lake.windows import DAY_US, Window, moment

_WRITERS = 4
"""A file takes 12 ms to be safe on the disk; written one by one, answers wait behind them (2.9 s, not 2.0)."""
_NO_TIMES = np.empty(0, np.int64)
_SETTLED_US = DAY_US
"""Candles that are missing for longer than this are missing at the exchange: its replicas are not that late."""


@dataclass(frozen=True)
class Job:
    """What to fetch: whose candles, of which window, from where."""

    symbol: str
    interval: Interval
    window: Window
    source: Source = "auto"

    def __str__(self) -> str:
        return self.symbol


@dataclass(frozen=True)
class Backfilled:
    """What a run did for one symbol.

    Attributes:
        symbol: The pair.
        added: Candles written.
        archived: Of these, out of the archive; the others came by REST.
        off_grid: Of these, candles that open off the interval's grid; they are at the window in which they open.
        absent: Candles that neither REST nor the archive has, as this run found out: before a listing, in an outage.
        unavailable: Candles that cannot be had: REST does not know the pair, and the archive has none of them. They may
            have been traded.
        left: Candles that are missing still; a later run, or one with source ``auto``, asks again.
        rows: Rows of REST's or of a zip's that are not candles; they are in the quarantine.
        revised: Candles that changed because their zip was revised upstream.
        quarantined: Zips that could not be believed.
        imperfect: Zips that were believed although something was wrong with them: no CHECKSUM, rows twice, rows that
            are not candles or not in order, times in another unit. The log names each, and what is wrong.
        seconds: How long it took.
        never_existed: Missing trade ids that the candles settle as never existed (`lake.never_existed`).
        withdrawn: Trade ids settled before that they no longer settle.
    """

    symbol: str
    added: int = 0
    archived: int = 0
    off_grid: int = 0
    absent: int = 0
    unavailable: int = 0
    left: int = 0
    rows: int = 0
    revised: int = 0
    quarantined: int = 0
    imperfect: int = 0
    seconds: float = 0.0
    never_existed: int = 0
    withdrawn: int = 0


def ask(layout: Layout, hosts: Binance, symbols: list[str], source: Source) -> Info:
    """Ask the exchange for its limits and clock. The archive alone does without: then the documented ones are taken.

    Raises:
        WebError: no answer.
    """
    try:
        with spot.connected(layout, hosts.rest_url) as rest:
            return rest.info(symbols)
    except WebError as error:
        if not _unknown(error):
            if source != "archive":
                raise
            logger.warning("{}: going on with the archive alone", error)
    return Info()


def _unknown(error: WebError) -> bool:
    """Whether the exchange says that it has no such pair; it may refuse a request for other reasons too."""
    return isinstance(error, RefusedError) and error.code == spot.UNKNOWN_SYMBOL


def planned(layout: Layout, hosts: Binance, job: Job, info: Info, free: int) -> Plan:
    """Return what a run would ask for. Nothing is asked for but the first candle there is, where it is not known yet.

    Raises:
        WebError: no answer.
    """
    now_us = info.now_us()
    with (
        History(layout, job.symbol, job.interval) as history,
        spot.connected(layout, hosts.rest_url) as rest,
    ):
        survey = _survey(layout, job, history, now_us)
        served = _lacks(survey) == 0 or _listing(rest, history, job, info).served
        return plan(job.interval, survey, job.source, _known(history, served=served), free, now_us)


def run(
    layout: Layout, hosts: Binance, job: Job, info: Info, compression: str = "snappy",
    progress: Progress = quiet,
) -> Backfilled:  # fmt: skip
    """Fetch what the lake lacks of a symbol's candles in a window, and write it.

    Holes in the trade ids that 1-minute candles of the window settle make their hours dirty, also those that were there
    before: so a killed run is made up for by the next one.

    Raises:
        LakeError: something could not be fetched or written. What was written before that stays.
    """
    started = time.monotonic()
    with (
        locks.klines(layout, job.symbol, job.interval),
        History(layout, job.symbol, job.interval) as history,
        spot.connected(layout, hosts.rest_url) as rest,
        Web(hosts.archive_url) as web,
    ):
        done = _Run(layout, job, info, rest, web, history, compression, progress).all()
    if job.interval == "1m":
        found = reconsider(layout, job.symbol, job.window)
        new, gone = (sum(gap.count for gap in gaps) for gaps in (found.new, found.withdrawn))
        done = replace(done, never_existed=new, withdrawn=gone)
    return replace(done, seconds=round(time.monotonic() - started, 3))


@dataclass(frozen=True)
class Listing:
    """Whether REST serves a pair, and whether the exchange lists it: REST may be out of reach, or may not answer."""

    served: bool = True
    listed: bool = True


def _listing(rest: Spot, history: History, job: Job, info: Info) -> Listing:
    """Ask for the first candle there is: once, and again while trade rests, when REST may not serve the pair."""
    if history.first() is not None and info.statuses.get(job.symbol) == "TRADING":
        return Listing()
    try:
        first = rest.first(job.symbol, job.interval)
    except WebError as error:
        if _unknown(error):
            return Listing(served=False, listed=False)
        if job.source != "archive":
            raise
        logger.warning("{}: its listing date is not known ({})", job.symbol, error)
        return Listing(served=False)
    if first is not None:
        history.put_first(first)
    return Listing(first is not None, first is not None)


def _survey(layout: Layout, job: Job, history: History, now_us: int) -> dict[date, Held]:
    absent = history.absent()
    found = kline_store.survey(layout, job.symbol, job.interval, job.window, now_us)
    return {day: replace(held, lacking=without(held.lacking, absent)) for day, held in found.items()}


def _lacks(survey: Mapping[date, Held]) -> int:
    return sum(len(held.lacking) for held in survey.values())


def _known(history: History, *, served: bool) -> Known:
    return Known(history.not_at_rest(), history.holes("archive"), served)


@dataclass
class _Run:
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
    listing: Listing = Listing()
    added: int = 0
    archived: int = 0
    off_grid: int = 0
    rows: int = 0
    doubted: Opens = field(default_factory=_NO_TIMES.copy)

    def all(self) -> Backfilled:
        """Do it."""
        self.now_us = self.info.now_us()
        of = self.job.symbol, self.job.interval
        self.zips = ArchiveKlines(self.web, self.layout, *of, moment(self.now_us))
        before, revised = self._survey(), 0
        if self.job.source != "rest":
            revised = Revisions(self.layout, *of, self.zips, self.compression).take(before)
            before = self._survey() if revised else before
        if _lacks(before):
            self.listing = _listing(self.rest, self.history, self.job, self.info)
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
            _lacks(before) - self.added - len(lacking), settled, len(lacking) - settled,
            self.rows + sum(self.zips.seen.rows.values()), revised, len(self.zips.seen.refused),
            len(self.zips.seen.imperfect),
        )  # fmt: skip
        self._tell(done, lacking)
        return done

    def _survey(self) -> dict[date, Held]:
        return _survey(self.layout, self.job, self.history, self.now_us)

    def _refuse_unknown(self, survey: Mapping[date, Held]) -> None:
        """A pair that neither REST nor the archive has anything of is a mistyped one, or of another time."""
        held = self.layout.kline_days(self.job.symbol, self.job.interval)
        if not self.listing.listed and not held and not self.zips.seen.refused and _lacks(survey):
            raise LakeError(
                f"neither the exchange nor its archive has a candle of this pair in {self.job.window}: check the name "
                "and the range"
            )

    def _fetch(self, survey: Mapping[date, Held]) -> None:
        """Have all of it fetched; what REST turns out not to have is then looked for in the archive."""
        known, source = _known(self.history, served=self.listing.served), self.job.source
        free = self.rest.budget.free()
        self._do(plan(self.job.interval, survey, source, known, free, self.now_us), known)
        if source != "rest" and len(self.doubted):
            known = _known(self.history, served=self.listing.served)
            known.not_at_rest.extend(_ranges(self.job.interval, self.doubted))
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
        self.doubted = np.concatenate([self.doubted, settled, got.unsettled])
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
