"""What is known before anything is fetched: what the lake lacks, and what each source is known not to have."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from loguru import logger

from lake import kline_store, spot
from lake.backfill_job import Job
from lake.history import History
from lake.intervals import Opens, among, without
from lake.kline_store import Held
from lake.layout import Layout
from lake.ranges import Range
from lake.spot import Info, Spot
from lake.web import RefusedError, WebError

Survey = Mapping[date, Held]
"""What the lake has of each day; what is lacking and not known to be absent."""


@dataclass(frozen=True)
class Known:
    """What is known of the two sources before anything is asked for.

    Attributes:
        not_at_rest: Ranges in which REST has no candle.
        not_in_archive: Ranges in which the archive has no candle.
        served: Whether REST serves the pair.
    """

    not_at_rest: list[Range] = field(default_factory=list)
    not_in_archive: list[Range] = field(default_factory=list)
    served: bool = True

    @classmethod
    def noted(cls, history: History, *, served: bool) -> "Known":
        """Return what the history has noted."""
        return cls(history.not_at_rest(), history.holes("archive"), served)

    def of_rest(self, times: Opens) -> Opens:
        """Return the open times that REST may have."""
        return without(times, self.not_at_rest) if self.served else times[:0]

    def of_archive_alone(self, times: Opens) -> Opens:
        """Return the open times that the archive may have, and REST has not."""
        mine = without(times, self.not_in_archive)
        return mine[among(mine, self.not_at_rest)] if self.served else mine


@dataclass(frozen=True)
class Listing:
    """Whether REST serves a pair, and whether the exchange lists it: REST may be out of reach, or may not answer."""

    served: bool = True
    listed: bool = True


def listing(rest: Spot, history: History, job: Job, info: Info) -> Listing:
    """Ask for the first candle there is: once, and again while trade rests, when REST may not serve the pair."""
    if history.first() is not None and info.statuses.get(job.symbol) == "TRADING":
        return Listing()
    try:
        first = rest.first(job.symbol, job.interval)
    except WebError as error:
        if unknown(error):
            return Listing(served=False, listed=False)
        if job.source != "archive":
            raise
        logger.warning("{}: its listing date is not known ({})", job.symbol, error)
        return Listing(served=False)
    if first is not None:
        history.put_first(first)
    return Listing(first is not None, first is not None)


def survey(layout: Layout, job: Job, history: History, now_us: int) -> Survey:
    """Return what the lake has of each day of a job; what is known to be absent is not lacking."""
    absent = history.absent()
    found = kline_store.survey(layout, job.symbol, job.interval, job.window, now_us)
    return {day: replace(held, lacking=without(held.lacking, absent)) for day, held in found.items()}


def lacks(survey: Survey) -> int:
    """Return how many candles are lacking."""
    return sum(len(held.lacking) for held in survey.values())


def unknown(error: WebError) -> bool:
    """Whether the exchange does not know the pair; it may refuse a request for other reasons too."""
    return isinstance(error, RefusedError) and error.code == spot.UNKNOWN_SYMBOL
