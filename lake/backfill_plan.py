"""What is cheaper for which day: REST or the archive; and what it will cost. Pure: no request is made here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np

from lake import archive
from lake.intervals import Interval, Opens, Span, chunks, per_day, spans
from lake.kline_store import Held, day_opens
from lake.parallel import PARALLEL
from lake.spot import KLINES_WEIGHT, MOST_ROWS, Info
from lake.windows import Window, moment

Source = Literal["auto", "rest", "archive"]
_REQUESTS_PER_ZIP = 2


@dataclass(frozen=True)
class Plan:
    """What a run asks for.

    Attributes:
        rest: Spans for REST, each of one answer at most.
        days: Days for the archive, with the open times lacking.
        later: Open times that the source asked for does not have yet.
    """

    rest: list[Span] = field(default_factory=list)
    days: dict[date, Opens] = field(default_factory=dict)
    later: int = 0

    @property
    def candles(self) -> int:
        """How many candles it fetches."""
        return sum(span.count for span in self.rest) + sum(map(len, self.days.values()))

    @property
    def requests(self) -> int:
        """How many requests that takes: a zip takes two, with its CHECKSUM."""
        return len(self.rest) + _REQUESTS_PER_ZIP * len(self.days)

    @property
    def weight(self) -> int:
        """How much of the exchange's limit that takes."""
        return KLINES_WEIGHT * len(self.rest)

    def seconds(self, info: Info) -> float:
        """How long that takes: as long as the weight lasts, or as the answers take, whichever is longer."""
        return max(self.weight / info.weight_limit * 60, self.requests * info.latency_s / PARALLEL)


def plan(interval: Interval, survey: Mapping[date, Held], source: Source, free: int, now_us: int) -> Plan:
    """Choose where what is lacking comes from.

    ``auto`` takes whole days out of the archive where a day needs more requests of REST than its zip does (1-second
    candles), or where REST's weight for all of them is more than is ``free`` now, so that nobody waits; the rest of it
    comes by REST.
    """
    lacking = {day: held.lacking for day, held in survey.items() if len(held.lacking)}
    if source == "rest":
        days = dict[date, Opens]()
    elif source == "archive":
        days = {day: times for day, times in lacking.items() if Window.of_day(day).end_us <= now_us}
    else:
        whole = {day: times for day, times in lacking.items() if len(times) == len(day_opens(interval, day))}
        days = {day: times for day, times in whole.items() if archive.published(day, moment(now_us))}
        weight = KLINES_WEIGHT * len(_requests(interval, days.values()))
        if per_day(interval) / MOST_ROWS <= _REQUESTS_PER_ZIP and weight <= free:
            days = {}
    others = [times for day, times in lacking.items() if day not in days]
    if source == "archive":
        return Plan([], days, sum(map(len, others)))
    return Plan(_requests(interval, others), days)


def _requests(interval: Interval, wanted: Iterable[Opens]) -> list[Span]:
    parts = list(wanted)
    joined = np.concatenate(parts) if parts else np.array([], np.int64)
    return [chunk for span in spans(interval, joined) for chunk in chunks(interval, span, MOST_ROWS)]
