"""Numberings: the stretches of time in which the trade ids of a symbol ascend.

The exchange can start its trade ids again, as after a reset of its testnet or when a pair is listed again. Two trades
with the same id are then two trades. So ids are compared within one numbering only. A numbering reaches from its first
second to the first second of the next one.

The rule looks at the seconds that have trades, each with the lowest and the highest id of its raw lines. A second is a
*fall* when its highest id is not above that of the second before. A new numbering begins at a fall when most of the
seconds around it say so: compare each of the up to `AROUND` seconds before it with each of the up to `AROUND` seconds
from it on; in more than half of the pairs the ids must not ascend. A few trades with wrong times are outvoted.

Three details:

- Both sides have equally many seconds, at least three where there are so many. Seconds of an earlier numbering do not
  count.
- One trade alone on a side is no numbering.
- Where two falls are close, the clearer one counts; the other counts too if it holds without the seconds from there on.

The answer depends on the raw lines only, not on the order in which they came.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from lake.windows import HOUR_US

AROUND = 11
"""Seconds with trades on each side of a fall: five in a row with wrong times change nothing."""
_FEWEST = 3
_HALF = 0.5
EVER = (-(2**62), 2**62)


@dataclass(frozen=True)
class Traded:
    """A second with trades (microseconds since 1970 UTC): the lowest and the highest id of its raw lines."""

    second: int
    low: int
    high: int


@dataclass(frozen=True)
class Fall:
    """A second whose ids do not ascend: up to `AROUND` seconds before it, and from it on, in order."""

    before: tuple[Traded, ...]
    after: tuple[Traded, ...]

    @property
    def second(self) -> int:
        """The second itself, the first of ``after``."""
        return self.after[0].second

    def share(self, since: int, until: int = EVER[1]) -> float:
        """Return the share of pairs that do not ascend, of the seconds from ``since`` on and before ``until``.

        0 where one side is a single trade, or empty.
        """
        before = [one for one in self.before if one.second >= since]
        after = [one for one in self.after if one.second < until]
        if _single(before) or _single(after):
            return 0.0
        size = max(_FEWEST, min(len(before), len(after)))
        left, right = before[-size:], after[:size]
        return sum(one.high >= other.high for one in left for other in right) / (len(left) * len(right))


def _single(side: Sequence[Traded]) -> bool:
    return not side or (len(side) == 1 and side[0].low == side[0].high)


def starts(falls: Sequence[Fall]) -> list[Fall]:
    """Return the falls with which a new numbering begins, out of all falls of a symbol in order of time."""
    found: list[Fall] = []
    for number, fall in enumerate(falls):
        since = found[-1].second if found else EVER[0]
        share = fall.share(since)
        clearer = (later.second for later in _close(falls, number) if later.share(since) > share)
        if share > _HALF and all(fall.share(since, second) > _HALF for second in clearer):
            found.append(fall)
    return found


def _close(falls: Sequence[Fall], number: int) -> Iterator[Fall]:
    """The later falls among the seconds that follow a fall."""
    last = falls[number].after[-1].second
    return takewhile(lambda later: later.second <= last, islice(falls, number + 1, None))


@dataclass(frozen=True)
class Numberings:
    """The first seconds of numberings, in order, without that of the first numbering, which has always been."""

    starts: tuple[int, ...] = ()

    def bounds(self, at: int) -> tuple[int, int]:
        """Return when the numbering that a time lies in begins, and when the next one does."""
        edges = (EVER[0], *self.starts, EVER[1])
        place = bisect_right(edges, at)
        return edges[place - 1], edges[place]

    def pieces(self, hour: int) -> list[tuple[int, int]]:
        """Return the parts of an hour, each within one numbering, as half-open ranges: nearly always it is one."""
        inside = [start for start in self.starts if hour < start < hour + HOUR_US]
        return list(zip([hour, *inside], [*inside, hour + HOUR_US], strict=True))

    def piece(self, at: int) -> tuple[int, int]:
        """Return the part of an hour that a time lies in."""
        return next(piece for piece in self.pieces(at - at % HOUR_US) if piece[0] <= at < piece[1])

    def changed(self, other: "Numberings") -> tuple[int, int] | None:
        """Return the range of time whose numbering another set of starts changes, or None where they are the same."""
        odd = {*self.starts} ^ {*other.starts}
        if not odd:
            return None
        after = [start for start in {*self.starts} & {*other.starts} if start > max(odd)]
        return min(odd), min(after, default=EVER[1])
