"""What an hour holds, its edge and its runs of trade ids, and what lies around it: what its bars depend on.

All of these are of a piece: an hour, or the part of it that lies in one numbering of trade ids (`lake.holdings`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from lake.gaps import Gap


@dataclass(frozen=True)
class Edge:
    """The first and last trade of a piece: ids, and the last price as decimal text. ``hour`` is when it begins."""

    hour: int
    first_id: int
    last_id: int
    last_price: str


@dataclass(frozen=True)
class Run:
    """A run of consecutive trade ids, both ends held."""

    first_id: int
    last_id: int


@dataclass(frozen=True)
class Piece:
    """What the piece that begins at ``start`` holds; without trades it has no edge."""

    start: int
    edge: Edge | None = None
    runs: tuple[Run, ...] = ()

    @property
    def count(self) -> int:
        """How many trade ids its lines name."""
        return sum(run.last_id - run.first_id + 1 for run in self.runs)


@dataclass(frozen=True)
class Surroundings:
    """All that the bars of a piece, from ``start`` to ``end``, depend on outside it, within its numbering.

    These are the trades around it, and those beside its runs of ids. ``never`` are the gaps beside these whose ids
    never existed: what is around such a gap counts as consecutive.
    """

    start: int
    end: int
    before: Edge | None
    after: Edge | None
    ends: tuple[tuple[Run, bool, bool], ...]
    never: tuple[Gap, ...] = ()

    def facts(self) -> list[object]:
        """The same surroundings give the same facts, ready for JSON."""
        before = self.before and [self.before.last_id, self.before.last_price]
        after = self.after and self.after.first_id
        ends = [[run.first_id, run.last_id, *held] for run, *held in self.ends]
        never = [[gap.place for gap in self.never]] if self.never else []
        return [before, after, ends, *never]


def text(pieces: Sequence[Surroundings]) -> str:
    """Return the surroundings of an hour as text: the same surroundings give the same text."""
    if len(pieces) == 1:
        return json.dumps(pieces[0].facts())
    return json.dumps([[piece.start, *piece.facts()] for piece in pieces])
