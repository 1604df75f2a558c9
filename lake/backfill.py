"""Official klines into the lake: only what is missing, by REST or from the archive, a day at a time.

A day is written when all that it lacks has come, so a killed run loses at most the days it was at, and the next one
goes on there. What the exchange turns out to have none of is noted (`lake.history`) and not asked for again.
"""

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import pyarrow as pa
from loguru import logger

from lake import kline_store, locks, spot
from lake.archive_klines import ArchiveKlines
from lake.backfill_fetch import Fetcher, Got
from lake.backfill_plan import Plan, Source, plan
from lake.backfill_revised import Revisions
from lake.errors import LakeError
from lake.history import History
from lake.intervals import Interval, Span, close_us, spans, without
from lake.kline_store import Held
from lake.layout import Layout
from lake.never_existed import reconsider
from lake.parallel import Behind, in_parallel
from lake.progress import Progress, quiet
from lake.sections import Binance
from lake.spot import Info, Spot
from lake.web import RefusedError, Web, WebError
from lake.windows import DAY_US, Window, moment

_WRITERS = 4
"""A file takes 12 ms to be safe on the disk; written one by one, answers wait behind them (2.9 s, not 2.0)."""
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
        absent: Candles the exchange turned out to have none of: in its outages, after a delisting.
        left: Candles that could not be had yet; a later run asks again.
        revised: Candles that changed because their zip was revised upstream.
        quarantined: Zips that could not be believed; their candles came by REST.
        seconds: How long it took.
        never_existed: Missing trade ids that the candles settle as never existed (`lake.never_existed`).
        withdrawn: Trade ids settled before that they no longer settle.
    """

    symbol: str
    added: int = 0
    archived: int = 0
    absent: int = 0
    left: int = 0
    revised: int = 0
    quarantined: int = 0
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


def planned(layout: Layout, job: Job, info: Info, free: int) -> Plan:
    """Return what a run would ask for, as far as it is known without asking (a listing date may be new)."""
    now_us = info.now_us()
    with History(layout, job.symbol, job.interval) as history:
        return plan(job.interval, _survey(layout, job, history, now_us), job.source, free, now_us)


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


def _survey(layout: Layout, job: Job, history: History, now_us: int) -> dict[date, Held]:
    holes = history.holes()
    first = history.first()
    if first is not None:
        holes.append((-(2**62), first))
    found = kline_store.survey(layout, job.symbol, job.interval, job.window, now_us)
    return {day: replace(held, lacking=without(held.lacking, holes)) for day, held in found.items()}


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
    served: bool = True
    known: bool = True
    added: int = 0
    archived: int = 0
    absent: int = 0
    left: int = 0
    quarantined: int = 0

    def all(self) -> Backfilled:
        """Do it."""
        self.now_us = self.info.now_us()
        of = self.job.symbol, self.job.interval
        self.zips = ArchiveKlines(self.web, self.layout, *of, moment(self.now_us))
        survey = _survey(self.layout, self.job, self.history, self.now_us)
        revisions = Revisions(self.layout, *of, self.zips, self.compression)
        revised = revisions.take(survey) if self.job.source != "rest" else 0
        if any(len(held.lacking) for held in survey.values()):
            self._find_listing()
            survey = _survey(self.layout, self.job, self.history, self.now_us)
            source = self._source()
            self._fetch(source, plan(self.job.interval, survey, source, self.rest.budget.free(), self.now_us))
            self._refuse_unknown(survey)
        return Backfilled(
            self.job.symbol, self.added, self.archived, self.absent, self.left, revised, self.quarantined
        )  # fmt: skip

    def _source(self) -> Source:
        if self.served or self.job.source == "archive":
            return self.job.source
        if self.job.source == "rest":
            raise LakeError(
                "the exchange does not list this pair (any more): check the name, or take source=archive, which keeps "
                "the history of delisted pairs"
            )
        return "archive"

    def _refuse_unknown(self, survey: dict[date, Held]) -> None:
        """A pair that neither REST nor the archive knows is a mistyped one."""
        if not self.known and not self.added and all(len(held.lacking) for held in survey.values()):
            raise LakeError("neither the exchange nor its archive knows this pair: check the name")

    def _find_listing(self) -> None:
        """Ask for the first candle there is: once, and again while trade rests, when REST may not serve the pair."""
        if self.history.first() is not None and self.info.statuses.get(self.job.symbol) == "TRADING":
            return
        try:
            first = self.rest.first(self.job.symbol, self.job.interval)
        except WebError as error:
            self.served = False
            if _unknown(error):
                self.known = False
                return
            if self.job.source != "archive":
                raise
            logger.warning("{}: its listing date is not known ({})", self.job.symbol, error)
        else:
            self.served = self.known = first is not None
            if first is not None:
                self.history.put_first(first)

    def _fetch(self, source: Source, what: Plan) -> None:
        """Have all of it fetched, some requests ahead of what is written."""
        rest = self.rest if self.served else None
        fetcher = Fetcher(
            self.job.symbol, self.job.interval, rest, self.zips, fill=source == "auto",
            ended=self.info.statuses.get(self.job.symbol) == "BREAK",
        )  # fmt: skip
        jobs = [(_days(span), partial(fetcher.by_rest, span)) for span in what.rest]
        jobs += [([day], partial(fetcher.by_archive, day, lacking)) for day, lacking in what.days.items()]
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

    def _put(self, day: date, came: list[Got]) -> int:
        tables = [kline_store.of_day(got.table, day) for got in came]
        source = came[0].source if len(came) == 1 else None
        table = pa.concat_tables(tables)
        return kline_store.put(
            self.layout, self.job.symbol, self.job.interval, day, table, self.compression, source
        )  # fmt: skip

    def _note(self, got: Got) -> None:
        """What REST has no candle of, and that for long, will not be asked for again."""
        settled = got.absent[got.absent < self.now_us - _SETTLED_US]
        found = spans(self.job.interval, settled)
        self.history.put_holes((span.first_us, close_us(self.job.interval, span.last_us)) for span in found)
        self.absent += len(settled)
        self.left += got.left + len(got.absent) - len(settled)
        self.archived += got.archived
        self.quarantined += got.quarantined


def _days(span: Span) -> list[date]:
    return [moment(day * DAY_US).date() for day in range(span.first_us // DAY_US, span.last_us // DAY_US + 1)]
