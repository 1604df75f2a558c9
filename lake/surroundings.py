"""What an hour holds, its edge and its runs of trade ids, and what lies around it: what its bars depend on.

Ids are compared within one numbering (`lake.numbering`). So an hour in which ids start again is two pieces, each with its
own edge, runs and surroundings; as a rule an hour is one piece.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    """The first and last trade of a piece: ids, the last price as decimal text, and their seconds where they are known.

    ``hour`` is when the piece begins; times are microseconds since 1970 UTC.
    """

    hour: int
    first_id: int
    last_id: int
    last_price: str
    first_second: int | None = None
    last_second: int | None = None


@dataclass(frozen=True)
class Run:
    """A run of consecutive trade ids, both ends held."""

    first_id: int
    last_id: int

    @property
    def count(self) -> int:
        """How many ids it has."""
        return self.last_id - self.first_id + 1


@dataclass(frozen=True)
class Piece:
    """What an hour, or the part of it that begins at ``start``, holds; without an edge it has no trades."""

    start: int
    edge: Edge | None = None
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """All that the bars of a piece, from ``start`` to ``end``, depend on outside of it, within its numbering.

    The trades around it, whether those beside its runs of ids are held, and whether lines contradict each other in the
    second of the trade before it or after it.
    """

    start: int
    end: int
    before: Edge | None
    after: Edge | None
    ends: tuple[tuple[Run, bool, bool], ...]
    doubt_before: bool = False
    doubt_after: bool = False

    def facts(self) -> list[object]:
        """The same surroundings give the same facts, ready for JSON."""
        before = self.before and [self.before.last_id, self.before.last_price]
        after = self.after and self.after.first_id
        doubts = [[self.doubt_before, self.doubt_after]] if self.doubt_before or self.doubt_after else []
        return [before, after, [[run.first_id, run.last_id, *held] for run, *held in self.ends], *doubts]


def text(pieces: Sequence[Surroundings]) -> str:
    """Return the surroundings of an hour as text: the same surroundings give the same text."""
    if len(pieces) == 1:
        return json.dumps(pieces[0].facts())
    return json.dumps([[piece.start, *piece.facts()] for piece in pieces])
