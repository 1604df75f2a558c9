"""The holes in a symbol's trade ids, and which of them are settled: the part of the ledger that is about them.

A hole is found in the runs of ids that the hours hold. What is settled is in ``ledger/gaps`` (`lake.gaps`), and counts
only as long as the ledger sees just that hole.
"""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from lake import damage, gaps
from lake.gaps import Gap, Hole
from lake.layout import Layout

Do = Callable[..., list[tuple[Any, ...]]]
"""Carry out a statement of ``sql/ledger`` by name, for the symbol, and return its rows."""


class Claims:
    """The holes of one symbol, and the gaps that are settled as never existed."""

    def __init__(self, layout: Layout, symbol: str, do: Do) -> None:
        """Take where the file is, and what carries out statements."""
        self._layout, self._symbol, self._do = layout, symbol, do
        self._settled: list[Gap] | None = None
        self._holes: dict[int, list[Hole]] = {}

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

    def valid(self, hour: int) -> tuple[Gap, ...]:
        """Return the settled gaps that touch an hour and are just what the lake does not hold there."""
        mine = [gap for gap in self.settled() if hour in gap.hours]
        return tuple(gap for gap in mine if gap.hole in self._holes_after(gap.hole.before_hour))

    def touching(self, hours: Collection[int], written: Collection[int]) -> list[Gap]:
        """Return the settled gaps that touch some hours, or of which an hour just ``written`` holds an id."""
        if not self.settled():
            return []
        held = [(run[-2], run[-1]) for hour in written for run in self._do("runs", hour=hour)]
        return [
            gap for gap in self.settled()
            if any(hour in hours for hour in gap.hours)
            or any(first <= gap.last_id and last >= gap.first_id for first, last in held)
        ]  # fmt: skip

    def holes(self, hours: Collection[int]) -> list[Hole]:
        """Return the holes that touch any of some hours, in order."""
        if not hours:
            return []
        first = self._edge("edge_before", min(hours))
        rows = self._do("run_ends", first=min(hours) if first is None else first, last=max(hours))
        found = (hole for (hour,) in rows for hole in self._holes_after(hour))
        return sorted(hole for hole in found if any(hour in hours for hour in hole.hours))

    def _holes_after(self, hour: int) -> list[Hole]:
        """The holes whose trade before is in an hour: the trade after is there too, or in the next hour with trades.

        An id that any other hour holds, as by a line with an odd trade time, belongs to none.
        """
        if hour not in self._holes:
            hours = [self._edge(which, hour) for which in ("edge_before", "edge_at", "edge_after")]
            runs = sorted((*run, at) for at in hours if at is not None for run in self._do("runs", hour=at))
            self._holes[hour] = []
            top, top_hour = (runs[0][1], runs[0][2]) if runs else (0, 0)
            for first_id, last_id, here in runs:
                hole = Hole(top + 1, first_id - 1, top_hour, here)
                if top_hour == hour and hole.first_id <= hole.last_id and not self._is_held(hole):
                    self._holes[hour].append(hole)
                top, top_hour = max((top, top_hour), (last_id, here))
        return self._holes[hour]

    def _is_held(self, hole: Hole) -> bool:
        values = {"hour": hole.before_hour, "first_id": hole.first_id, "last_id": hole.last_id}
        return bool(self._do("sharing", **values))

    def _edge(self, statement: str, hour: int) -> int | None:
        """The hour of an edge: that nearest before or after an hour that has trades, or its own."""
        rows = self._do(statement, hour=hour)
        return rows[0][0] if rows else None
