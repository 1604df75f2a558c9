"""The holes in a symbol's trade ids, and which of them are settled: the part of the ledger that is about them.

A hole is found in the runs of ids that the hours hold, within one numbering (`lake.numbering`). What is settled is in
``ledger/gaps`` (`lake.gaps`), and counts only as long as the ledger sees just that hole.
"""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from lake import damage, gaps
from lake.gaps import Gap, Hole
from lake.layout import Layout
from lake.numbering import EVER, Numberings
from lake.windows import HOUR_US

Do = Callable[..., list[tuple[Any, ...]]]
"""Carry out a statement of ``sql/ledger`` by name, for the symbol, and return its rows."""


class Claims:
    """The holes of one symbol, and the gaps that are settled as never existed."""

    def __init__(self, layout: Layout, symbol: str, do: Do) -> None:
        """Take where the file is, and what carries out statements."""
        self._layout, self._symbol, self._do = layout, symbol, do
        self._settled: list[Gap] | None = None
        self._holes: dict[int, set[Hole]] = {}
        self.numberings = Numberings()

    def forget_holes(self) -> None:
        """Find the holes again: what an hour holds has changed."""
        self._holes.clear()

    def settled(self) -> list[Gap]:
        """Return the gaps settled as never existed, sorted. One may be out of date: `valid` leaves it out."""
        if self._settled is None:
            no_gaps: list[Gap] = []
            load = partial(gaps.never_existed, self._layout, self._symbol)
            self._settled = damage.sound(self._layout, load, no_gaps)
        return self._settled

    def put(self, settled: Iterable[Gap]) -> None:
        """Write the gaps settled as never existed in place of those before, with the symbol's lock of bars held."""
        gaps.write(self._layout, self._symbol, settled)
        self._settled = None

    def valid(self, at: int) -> tuple[Gap, ...]:
        """Return the settled gaps that are what is not held in an hour, or in the part of it that begins ``at``."""
        bounds, hour = self.numberings.bounds(at), at - at % HOUR_US
        return tuple(
            gap for gap in self.settled()
            if hour in gap.hours and self.numberings.bounds(gap.from_us) == self.numberings.bounds(gap.to_us) == bounds
            and (hole := self.hole_of(gap)) in self._holes_after(hole.before_hour)
        )  # fmt: skip

    def hole_of(self, gap: Gap) -> Hole:
        """Return the hole that a gap is about."""
        before, after = (self.numberings.piece(at)[0] for at in (gap.from_us, gap.to_us))
        return Hole(gap.first_id, gap.last_id, before, after)

    def touching(self, hours: Collection[int], written: Collection[int]) -> list[Gap]:
        """Return the settled gaps that touch some hours, or of which an hour just ``written`` holds an id."""
        if not self.settled():
            return []
        held = [run for hour in written for run in self._do("runs", hour=hour)]
        bounds = self.numberings.bounds
        return [
            gap for gap in self.settled()
            if any(hour in hours for hour in gap.hours)
            or any(
                first <= gap.last_id and last >= gap.first_id and bounds(at) == bounds(gap.from_us)
                for at, first, last in held
            )
        ]  # fmt: skip

    def holes(self, hours: Collection[int]) -> list[Hole]:
        """Return the holes that touch any of some hours, in order."""
        if not hours:
            return []
        first, last, found = min(hours), max(hours) + HOUR_US - 1, set()
        for start in [at for at in (EVER[0], *self.numberings.starts) if at <= last]:
            end = self.numberings.bounds(start)[1]
            before = self._edge("edge_before", hour=max(first, start), start=start)
            since = first if before is None else before
            rows = self._do("run_ends", first=since, last=last, start=start, end=end) if end > since else []
            found |= {hole for (at,) in rows for hole in self._holes_after(at)}
        return sorted(hole for hole in found if any(hour in hours for hour in hole.hours))

    def _holes_after(self, at: int) -> set[Hole]:
        """The holes whose trade before is in an hour: the trade after is there too, or in the next hour with trades.

        ``at`` is when the hour begins, or the part of it in one numbering. An id that any other hour of the numbering
        holds, as by a line with an odd trade time, belongs to none.
        """
        if at not in self._holes:
            start, end = self.numberings.bounds(at)
            beside = (self._edge("edge_before", hour=at, start=start), at, self._edge("edge_after", hour=at, end=end))
            runs = sorted(
                (first_id, last_id, here)
                for part in beside if part is not None
                for here, first_id, last_id in self._do("runs", hour=part - part % HOUR_US) if here == part
            )  # fmt: skip
            self._holes[at] = set()
            top, top_at = (runs[0][1], runs[0][2]) if runs else (0, 0)
            for first_id, last_id, here in runs:
                hole = Hole(top + 1, first_id - 1, top_at, here)
                if top_at == at and hole.first_id <= hole.last_id and not self._is_held(hole, start, end):
                    self._holes[at].add(hole)
                top, top_at = max((top, top_at), (last_id, here))
        return self._holes[at]

    def _is_held(self, hole: Hole, start: int, end: int) -> bool:
        hour = hole.before_hour - hole.before_hour % HOUR_US
        values = {"hour": hour, "first_id": hole.first_id, "last_id": hole.last_id, "start": start, "end": end}
        return bool(self._do("sharing", **values))

    def _edge(self, statement: str, **values: int) -> int | None:
        """When the nearest hour with trades (or part of one) before or after a time begins."""
        rows = self._do(statement, **values)
        return rows[0][0] if rows else None
