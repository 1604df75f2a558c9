"""What the hours of a symbol hold, as the ledger has it: trade ids, where they start again, and which lines contradict.

Ids are compared within one numbering alone (`lake.numbering`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lake import numbering, surroundings
from lake.numbering import AROUND, Fall, Numberings, Traded
from lake.surroundings import Edge, Piece, Run, Surroundings
from lake.windows import HOUR_US

Do = Callable[..., list[tuple[Any, ...]]]
"""Carry out a statement of ``sql/ledger`` by name, for the symbol, and return its rows."""


class Holdings:
    """The part of the ledger that is about trade ids, for one symbol."""

    def __init__(self, do: Do) -> None:
        """Take what carries out statements; the numberings are as they were last found."""
        self._do = do
        self.numberings = Numberings(tuple(start for (start,) in do("numberings")))

    def number(self, traces: Mapping[int, Sequence[Traded]], partly_gone: Collection[int]) -> set[int]:
        """Note the seconds with trades of some hours, and find again where numberings begin.

        Args:
            traces: The seconds of each hour, as `sql/trace.sql` chooses them.
            partly_gone: The hours of which raw parts are gone: what is known of them stays.

        Returns:
            The hours to build again because a numbering that they lie in has begun or is none any more.
        """
        for hour, seconds in traces.items():
            if hour not in partly_gone:
                self._do("clear_trace", hour=hour)
            for one in seconds:
                self._do("put_trace", second=one.second, low=one.low, high=one.high)
            self._note_falls(hour)
        return self._renumber(Numberings(tuple(numbering.starts(list(self._falls())))))

    def _note_falls(self, hour: int) -> None:
        """Find the falls of an hour, and that between it and the next."""
        around = self._do("trace_around", hour=hour)
        first, last = (hour, hour + HOUR_US - 1) if not around else (min(hour, around[0][0] + 1), around[-1][0])
        self._do("clear_falls", first=first, last=max(last, hour + HOUR_US - 1))
        for (_, before), (second, high) in zip(around, around[1:], strict=False):
            if high <= before:
                self._do("put_fall", second=second)

    def _falls(self) -> Iterator[Fall]:
        for (second,) in self._do("falls"):
            before = self._do("trace_before", second=second, most=AROUND)
            after = self._do("trace_from", second=second, most=AROUND)
            yield Fall(tuple(Traded(*row) for row in reversed(before)), tuple(Traded(*row) for row in after))

    def _renumber(self, new: Numberings) -> set[int]:
        """Put other numberings into force; return the hours of which the bars or the proofs may be others now."""
        changed = self.numberings.changed(new)
        if changed is None:
            return set()
        first, end = changed
        hours = {hour for (hour,) in self._do("hours_between", first=first - first % HOUR_US, end=end)}
        begun = {start - start % HOUR_US for start in {*self.numberings.starts} ^ {*new.starts} if start % HOUR_US}
        freed = {other for hour in hours if (linked := self._linked(hour)) for other in (hour, *linked)}
        touched = {other for hour in hours for other in self._beside(hour)}
        self.numberings = new
        self._do("clear_numberings")
        for start in new.starts:
            self._do("put_numbering", start=start)
        touched |= {other for hour in hours for other in self._beside(hour)}
        meeting = {hour for hour in hours if self._sharing(hour, self._held(hour))}
        return begun | freed | meeting | set(self.stale(touched | hours))

    def holds(self, hour: int, pieces: Iterable[Piece]) -> set[int]:
        """Note what an hour holds now. Returns the other hours whose surroundings this may have changed."""
        affected = self._beside(hour)
        self._do("clear_edge", hour=hour)
        self._do("clear_runs", hour=hour)
        for piece in pieces:
            if edge := piece.edge:
                self._do("put_edge", **asdict(edge))
            for run in piece.runs:
                self._do("put_run", hour=piece.start, first_id=run.first_id, last_id=run.last_id)
        return affected | self._beside(hour)

    def _beside(self, hour: int) -> set[int]:
        """The hours that share an id boundary with an hour, or lie between it and the nearest trades on either side."""
        found = (self._beside_piece(start, runs) for start, runs in self._runs(hour))
        return {other - other % HOUR_US for one in found for other in one} - {hour}

    def _beside_piece(self, at: int, runs: Iterable[Run]) -> set[int]:
        beside = {other for run in runs for other in self._holders(at, run)}
        start, end = self.numberings.bounds(at)
        before, here, after = self._before(at), self._edge("edge_at", hour=at), self._after(at)
        first, last = before.hour if before else start, after.hour if after else end
        beside |= {other for (other,) in self._do("built_between", after=first, before=last)}
        for left, right in ((before, here), (here, after), (before, after)):
            if left and right and left.last_id + 1 == right.first_id:
                beside |= set(range(left.hour - left.hour % HOUR_US + HOUR_US, right.hour, HOUR_US))
        return beside | {edge.hour for edge in (before, after) if edge}

    def _holders(self, at: int, run: Run) -> Iterator[int]:
        for number in (run.first_id - 1, run.last_id + 1):
            yield from self._held_by(at, number)

    def _held_by(self, at: int, number: int) -> list[int]:
        start, end = self.numberings.bounds(at)
        return [hour for (hour,) in self._do("holders", id=number, start=start, end=end)]

    def _runs(self, hour: int) -> list[tuple[int, list[Run]]]:
        """The pieces of an hour as numberings are now, each with the runs noted of it."""
        noted = self._do("runs_of_hour", hour=hour)
        return [
            (start, [Run(first, last) for at, first, last in noted if start <= at < end])
            for start, end in self.numberings.pieces(hour)
        ]

    def _held(self, hour: int) -> list[Piece]:
        return [Piece(start, None, tuple(runs)) for start, runs in self._runs(hour)]

    def _edge(self, statement: str, **values: int) -> Edge | None:
        rows = self._do(statement, **values)
        return Edge(*rows[0]) if rows else None

    def _before(self, at: int) -> Edge | None:
        return self._edge("edge_before", hour=at, start=self.numberings.bounds(at)[0])

    def _after(self, at: int) -> Edge | None:
        return self._edge("edge_after", hour=at, end=self.numberings.bounds(at)[1])

    def surroundings(self, hour: int) -> list[Surroundings]:
        """Return what the bars of each piece of an hour depend on outside of it, in order."""
        runs = dict(self._runs(hour))
        return [self._around(start, end, runs[start]) for start, end in self.numberings.pieces(hour)]

    def _around(self, start: int, end: int, runs: Iterable[Run]) -> Surroundings:
        before, after = self._before(start), self._after(start)
        ends = (
            (run, bool(self._held_by(start, run.first_id - 1)), bool(self._held_by(start, run.last_id + 1)))
            for run in runs
        )
        doubts = (before and self._in_doubt(before.last_second), after and self._in_doubt(after.first_second))
        return Surroundings(start, end, before, after, tuple(ends), *map(bool, doubts))

    def _in_doubt(self, second: int | None) -> bool:
        return second is not None and bool(self._do("in_doubt", second=second))

    def stale(self, hours: Iterable[int]) -> list[int]:
        """Those of the hours whose surroundings are not what they were when their bars were written, in order."""
        return [hour for hour in sorted(set(hours)) if self._built(hour) != surroundings.text(self.surroundings(hour))]

    def _built(self, hour: int) -> str | None:
        rows = self._do("built", hour=hour)
        return rows[0][0] if rows else None

    def sharing(self, hour: int, pieces: Iterable[Piece]) -> set[int]:
        """The other hours that hold an id which these pieces hold too, or have a line that contradicts one of theirs."""
        return self._sharing(hour, pieces) | self._linked(hour)

    def _sharing(self, hour: int, pieces: Iterable[Piece]) -> set[int]:
        found = set()
        for piece in pieces:
            start, end = self.numberings.bounds(piece.start)
            for run in piece.runs:
                values = {"hour": hour, "first_id": run.first_id, "last_id": run.last_id, "start": start, "end": end}
                found |= {other for (other,) in self._do("sharing", **values)}
        return found

    def _linked(self, hour: int) -> set[int]:
        """The other hours with a line of an id that is contradicted in this hour."""
        found = set()
        for first, until in self.numberings.pieces(hour):
            start, end = self.numberings.bounds(first)
            rows = self._do("linked", hour=hour, first=first, until=until, start=start, end=end)
            found |= {other for (other,) in rows}
        return found

    def contradict(self, hours: Collection[int], found: Collection[tuple[int, int]]) -> None:
        """Note which seconds the lines of contradicted ids name (id, second), in place of what was noted of the hours.

        What another hour's line contradicts, which is not among these hours, stays: that hour's raw parts are gone.
        """
        for hour in hours:
            for first, until in self.numberings.pieces(hour):
                start, end = self.numberings.bounds(first)
                for number, second in self._do("contradicted", first=first, until=until):
                    named = {at for (at,) in self._do("seconds_of_id", id=number, start=start, end=end)}
                    if {at - at % HOUR_US for at in named} <= {*hours}:
                        self._do("clear_contradiction", id=number, second=second)
        for number, second in found:
            self._do("put_contradiction", id=number, second=second)

    def doubtful(self, hour: int) -> set[int]:
        """Return the seconds of an hour that a line of a contradicted id names."""
        return {second for (second,) in self._do("doubtful", hour=hour)}

    def taken(self, hours: Iterable[int]) -> list[tuple[int, int, int]]:
        """Return the runs of ids that some hours hold: when their numbering begins, first and last id."""
        return [
            (max(self.numberings.bounds(start)[0], 0), run.first_id, run.last_id)
            for hour in hours for start, runs in self._runs(hour) for run in runs
        ]  # fmt: skip

    def count(self, hour: int) -> int | None:
        """How many trades an hour held when its bars were written; None where that is not known."""
        if self._built(hour) is None:
            return None
        return sum(run.count for _, runs in self._runs(hour) for run in runs)
