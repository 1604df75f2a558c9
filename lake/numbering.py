"""Numberings: the stretches of time in which the trade ids of a symbol ascend.

Ids ascend with trade time. Where the exchange starts again (a testnet reset, a relisting), a new numbering begins with
a second: ids are compared only within one numbering, which reaches from its first second to that of the next.

The rule looks at seconds with trades, each with the highest id that its raw lines name, and at nothing else: not at the
order in which lines came, nor at which of two contradicting lines holds. A second whose highest id is not above that of
the second before it is a *fall*. A numbering begins at a fall when more than half of the pairs of a second before and
one from the fall on are the wrong way round, with as many seconds on both sides: `AROUND`, or as many as the side with
fewer has, and at least three. So trades that come with wrong times move nothing until they fill most of that. Both
sides must have two trades: one line is no numbering. Of falls that close to each other, the clearest counts.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from lake.windows import HOUR_US

AROUND = 11
"""Seconds with trades that are looked at on each side of a fall: five that are misdated in a row change nothing."""
_FEWEST = 3
_EVER = (-(2**62), 2**62)


@dataclass(frozen=True)
class Traded:
    """A second with trades (microseconds since 1970 UTC): the lowest and the highest id that its raw lines name."""

    second: int
    low: int
    high: int


@dataclass(frozen=True)
class Fall:
    """A second whose ids do not go on above those before it: up to `AROUND` seconds on each side, in order."""

    before: tuple[Traded, ...]
    after: tuple[Traded, ...]

    @property
    def second(self) -> int:
        """The second itself, the first of ``after``."""
        return self.after[0].second

    def share(self, since: int) -> float:
        """Return the share of pairs that are the wrong way round, of seconds not before ``since``.

        0 where one of the sides is a single trade, or there is none.
        """
        before, after = [one for one in self.before if one.second >= since], self.after
        if _single(before) or _single(after):
            return 0.0
        size = max(_FEWEST, min(len(before), len(after)))
        left, right = before[-size:], after[:size]
        wrong = sum(one.high >= other.high for one in left for other in right)
        return wrong / (len(left) * len(right))


def _single(side: Sequence[Traded]) -> bool:
    return not side or (len(side) == 1 and side[0].low == side[0].high)


def starts(falls: Sequence[Fall]) -> list[int]:
    """Return the seconds with which a new numbering begins, out of all falls of a symbol in order of time."""
    found: list[int] = []
    for number, fall in enumerate(falls):
        since = found[-1] if found else _EVER[0]
        share = fall.share(since)
        if share > 0.5 and all(later.share(since) <= share for later in _close(falls, number)):
            found.append(fall.second)
    return found


def _close(falls: Sequence[Fall], number: int) -> Iterator[Fall]:
    """The later falls among the seconds that follow a fall."""
    last = falls[number].after[-1].second
    return takewhile(lambda later: later.second <= last, islice(falls, number + 1, None))


@dataclass(frozen=True)
class Numberings:
    """The seconds with which numberings begin, in order, without the first numbering, which has always been."""

    starts: tuple[int, ...] = ()

    def bounds(self, at: int) -> tuple[int, int]:
        """Return when the numbering that a time lies in begins, and when the next one does."""
        edges = (_EVER[0], *self.starts, _EVER[1])
        place = bisect_right(edges, at)
        return edges[place - 1], edges[place]

    def pieces(self, hour: int) -> list[tuple[int, int]]:
        """Return the parts of an hour, each within one numbering, as half-open ranges: as a rule it is one."""
        inside = [start for start in self.starts if hour < start < hour + HOUR_US]
        return list(zip([hour, *inside], [*inside, hour + HOUR_US], strict=True))

    def changed(self, other: "Numberings") -> tuple[int, int] | None:
        """Return the range of time whose numbering another set of starts changes, or None where they are the same."""
        odd = {*self.starts} ^ {*other.starts}
        if not odd:
            return None
        after = [start for start in {*self.starts} & {*other.starts} if start > max(odd)]
        return min(odd), min(after, default=_EVER[1])
