"""What is cheaper for which day: REST or the archive; and what it will cost. Pure: no request is made here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from lake import archive
from lake.backfill_job import Source
from lake.backfill_known import Known, Survey
from lake.intervals import Interval, Opens, Span, chunks, per_day, spans, without
from lake.kline_store import day_opens
from lake.kline_zips import MONTHLY_ONLY
from lake.parallel import PARALLEL
from lake.spot import KLINES_WEIGHT, MOST_ROWS, Info
from lake.windows import Window, moment

Days = dict[date, Opens]
_REQUESTS_PER_ZIP = 2
_WEEK = 7


@dataclass(frozen=True)
class Plan:
    """What a run asks for.

    Attributes:
        rest: Spans for REST, each of one answer at most.
        days: Days for the archive, with the open times lacking.
        doubtful: Days for the archive, which may have nothing of them: each month is looked for first (`samples`).
    """

    rest: list[Span] = field(default_factory=list)
    days: Days = field(default_factory=dict)
    doubtful: Days = field(default_factory=dict)
    monthly: bool = False

    @property
    def candles(self) -> int:
        """How many candles it fetches, the doubtful ones not counted."""
        return sum(span.count for span in self.rest) + sum(map(len, self.days.values()))

    @property
    def perhaps(self) -> int:
        """How many candles more there may be, if the archive has the doubtful days."""
        return sum(map(len, self.doubtful.values()))

    @property
    def requests(self) -> int:
        """How many requests that takes: a zip takes two, with its CHECKSUM; a zip that is looked for in vain, one."""
        looked_for = sum(1 + (0 if self.monthly else len(samples(days))) for days in months(self.doubtful).values())
        return len(self.rest) + _REQUESTS_PER_ZIP * len(self.days) + looked_for

    @property
    def weight(self) -> int:
        """How much of the exchange's limit that takes."""
        return KLINES_WEIGHT * len(self.rest)

    def seconds(self, info: Info) -> float:
        """How long that takes: as long as the weight lasts, or as the answers take, whichever is longer."""
        return max(self.weight / info.weight_limit * 60, self.requests * info.latency_s / PARALLEL)


def plan(interval: Interval, survey: Survey, source: Source, known: Known, free: int, now_us: int) -> Plan:
    """Choose where what is lacking comes from.

    ``auto`` takes whole days out of the archive where a day needs more requests of REST than its zip does (1-second
    candles), or where REST's weight for all of them is more than is ``free`` now, so that nobody waits; the rest of it
    comes by REST. What REST does not have is looked for in the archive: a pair's name may have been another pair's.
    """
    lacking = {day: held.lacking for day, held in survey.items() if len(held.lacking)}
    asked = _some({day: known.of_rest(times) for day, times in lacking.items()})
    if source == "rest":
        return Plan(_requests(interval, asked.values()))
    doubtful = _some({
        day: known.of_archive_alone(times) for day, times in lacking.items() if Window.of_day(day).end_us <= now_us
    })  # fmt: skip
    if source == "archive":
        over = {day: times for day, times in asked.items() if Window.of_day(day).end_us <= now_us}
        days = _some({day: without(times, known.not_in_archive) for day, times in over.items()})
        return Plan([], days, doubtful, interval in MONTHLY_ONLY)
    whole = {day: times for day, times in asked.items() if len(times) == len(day_opens(interval, day))}
    days = {day: times for day, times in whole.items() if archive.published(day, moment(now_us))}
    weight = KLINES_WEIGHT * len(_requests(interval, days.values()))
    if per_day(interval) / MOST_ROWS <= _REQUESTS_PER_ZIP and weight <= free:
        days = {}
    others = [times for day, times in asked.items() if day not in days]
    return Plan(_requests(interval, others), days, doubtful, interval in MONTHLY_ONLY)


def months(days: Mapping[date, Opens]) -> dict[date, list[date]]:
    """Return days in order by the first day of their month."""
    found: dict[date, list[date]] = {}
    for day in sorted(days):
        found.setdefault(day.replace(day=1), []).append(day)
    return found


def samples(days: list[date]) -> list[date]:
    """Return the days of a month by which to tell whether the archive has anything of it: a day a week, and the last.

    A pair that was traded for a week or longer has a zip of one of them, if its month's zip should be missing. Of a
    week or less it is each day, so that nothing is called absent that was not looked for.
    """
    return days if len(days) <= _WEEK else sorted({*days[::_WEEK], days[-1]})


def _some(days: Mapping[date, Opens]) -> Days:
    return {day: times for day, times in days.items() if len(times)}


def _requests(interval: Interval, wanted: Iterable[Opens]) -> list[Span]:
    parts = list(wanted)
    joined = np.concatenate(parts) if parts else np.array([], np.int64)
    return [chunk for span in spans(interval, joined) for chunk in chunks(interval, span, MOST_ROWS)]
