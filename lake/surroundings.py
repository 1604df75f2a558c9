"""What an hour holds, its edge and its runs of trade ids, and what lies around it: what its bars depend on."""

import json
from dataclasses import dataclass

from lake.gaps import Gap


@dataclass(frozen=True)
class Edge:
    """The first and last trade of an hour: ids, and the last price as decimal text."""

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
class Surroundings:
    """All that the bars of an hour depend on outside it: the trades around it, and those beside its runs of ids.

    ``never`` are the gaps beside these whose ids never existed: what is around such a gap counts as consecutive.
    """

    before: Edge | None
    after: Edge | None
    ends: tuple[tuple[Run, bool, bool], ...]
    never: tuple[Gap, ...] = ()

    def text(self) -> str:
        """The same surroundings give the same text."""
        before = self.before and [self.before.last_id, self.before.last_price]
        after = self.after and self.after.first_id
        ends = [[run.first_id, run.last_id, *held] for run, *held in self.ends]
        never = [[gap.place for gap in self.never]] if self.never else []
        return json.dumps([before, after, ends, *never])
