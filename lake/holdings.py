"""What the hours of a symbol hold and what their bars depend on: the part of the ledger that is about trade ids.

Ids are compared within one numbering (`lake.numbering`). So an hour in which ids start again is two pieces, each with
its own edge, runs and surroundings; nearly every hour is one piece, which begins with the hour.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from lake import numbering, surroundings
from lake.claims import Claims
from lake.gaps import NEW_NUMBERING, Gap
from lake.numbering import AROUND, Fall, Numberings, Traded
from lake.surroundings import Edge, Piece, Run, Surroundings
from lake.windows import HOUR_US

Do = Callable[..., list[tuple[Any, ...]]]
"""Carry out a statement of ``sql/ledger`` by name, for the symbol, and return its rows."""


class Holdings:
    """What is held of one symbol. ``numberings`` are as the seconds noted so far show them."""

    def __init__(self, do: Do, claims: Claims) -> None:
        """Take what carries out statements, and the holes that are settled."""
        self._do, self._claims = do, claims
        self._renumber()

    def _renumber(self) -> None:
        self.starts = numbering.starts(list(self._falls()))
        self.numberings = self._claims.numberings = Numberings(tuple(fall.second for fall in self.starts))

    def _falls(self) -> Iterator[Fall]:
        for (second,) in self._do("falls"):
            before = self._do("trace_before", second=second, most=AROUND)
            after = self._do("trace_from", second=second, most=AROUND)
            yield Fall(tuple(Traded(*row) for row in reversed(before)), tuple(Traded(*row) for row in after))

    def seams(self) -> list[Gap]:
        """Return where one numbering ends and the next begins, as rows of ``ledger/gaps``."""
        ends = ((fall.before[-1], fall.after[0]) for fall in self.starts)
        return [
            Gap(last.high + 1, first.low - 1, last.second, first.second, "trade ids start again", NEW_NUMBERING)
            for last, first in ends
        ]  # fmt: skip

    def number(self, traces: Mapping[int, Sequence[Traded]], partly_gone: Collection[int]) -> set[int]:
        """Note the seconds with trades of some hours (`sql/trace.sql`), and find again where numberings begin.

        What is known of hours that are ``partly_gone``, because raw parts of them are, stays.

        Returns:
            The hours to build again because a numbering begins elsewhere than was known.
        """
        for hour, seconds in traces.items():
            if hour not in partly_gone:
                self._do("clear_trace", hour=hour)
            for one in seconds:
                self._do("put_trace", **asdict(one))
            self._do("note_falls", hour=hour)
        old = self.numberings
        self._renumber()
        changed = old.changed(self.numberings)
        return self._moved(old, self.numberings, *changed) if changed else set()

    def _moved(self, old: Numberings, new: Numberings, start: int, end: int) -> set[int]:
        """The hours whose bars change when numberings do: in that range, and where their neighbours are or were."""
        hours = {hour for (hour,) in self._do("built_from", start=start - start % HOUR_US, end=end)}
        cut = {at - at % HOUR_US for at in {*old.starts} ^ {*new.starts} if at % HOUR_US}
        shared, beside = set(), set()
        for numberings in (old, new):
            self.numberings = self._claims.numberings = numberings
            for hour in hours:
                if others := self.sharing(hour, self._pieces(hour)):
                    shared |= {hour, *others}
                beside |= self._beside(hour)
        self._claims.forget_holes()
        return cut & hours | shared | set(self.stale(beside | hours))

    def holds(self, hour: int, pieces: Iterable[Piece]) -> set[int]:
        """Note what an hour holds now. Returns the other hours whose surroundings this may have changed."""
        affected = self._beside(hour)
        self._claims.forget_holes()
        self._do("clear_edge", hour=hour)
        self._do("clear_runs", hour=hour)
        for piece in pieces:
            if piece.edge:
                self._do("put_edge", **asdict(piece.edge))
            for run in piece.runs:
                self._do("put_run", hour=piece.start, **asdict(run))
        return affected | self._beside(hour)

    def _beside(self, hour: int) -> set[int]:
        """The hours that share an id boundary with an hour, or lie between it and the nearest trades on either side."""
        found = {at for piece in self._pieces(hour) for at in self._beside_piece(piece)}
        return {at - at % HOUR_US for at in found} - {hour}

    def _beside_piece(self, piece: Piece) -> set[int]:
        start, end = self.numberings.bounds(piece.start)
        beside = {
            at for run in piece.runs for number in (run.first_id - 1, run.last_id + 1)
            for at in self._holders(piece.start, number)
        }  # fmt: skip
        before, here, after = (
            self._before(piece.start),
            self._edge("edge_at", hour=piece.start),
            self._after(piece.start),
        )
        first, last = before.hour if before else start, after.hour if after else end
        beside |= {other for (other,) in self._do("built_between", after=first, before=last)}
        for left, right in ((before, here), (here, after), (before, after)):
            if left and right and left.last_id + 1 == right.first_id:
                beside |= set(range(left.hour - left.hour % HOUR_US + HOUR_US, right.hour, HOUR_US))
        return beside | {edge.hour for edge in (before, after) if edge}

    def _holders(self, at: int, number: int) -> list[int]:
        start, end = self.numberings.bounds(at)
        return [hour for (hour,) in self._do("holders", id=number, start=start, end=end)]

    def _pieces(self, hour: int) -> list[Piece]:
        """The pieces of an hour as numberings are now, each with the runs noted of it, without their edges."""
        noted = self._do("runs", hour=hour)
        return [
            Piece(start, None, tuple(Run(first, last) for at, first, last in noted if start <= at < end))
            for start, end in self.numberings.pieces(hour)
        ]

    def _before(self, at: int) -> Edge | None:
        return self._edge("edge_before", hour=at, start=self.numberings.bounds(at)[0])

    def _after(self, at: int) -> Edge | None:
        return self._edge("edge_after", hour=at, end=self.numberings.bounds(at)[1])

    def _edge(self, statement: str, **values: int) -> Edge | None:
        rows = self._do(statement, **values)
        return Edge(*rows[0]) if rows else None

    def surroundings(self, hour: int) -> list[Surroundings]:
        """Return what the bars of each piece of an hour depend on outside it. Ids that never existed count as held."""
        return [self._around(piece) for piece in self._pieces(hour)]

    def _around(self, piece: Piece) -> Surroundings:
        at, never = piece.start, self._claims.valid(piece.start)
        first, last = {gap.first_id for gap in never}, {gap.last_id for gap in never}
        ends = tuple(
            (
                run,
                run.first_id - 1 in last or bool(self._holders(at, run.first_id - 1)),
                run.last_id + 1 in first or bool(self._holders(at, run.last_id + 1)),
            )
            for run in piece.runs
        )
        return Surroundings(*self.numberings.piece(at), self._before(at), self._after(at), ends, never)

    def stale(self, hours: Iterable[int]) -> list[int]:
        """Those of the hours whose surroundings are not what they were when their bars were written, in order."""
        return [hour for hour in sorted(set(hours)) if self._built(hour) != surroundings.text(self.surroundings(hour))]

    def _built(self, hour: int) -> str | None:
        rows = self._do("built", hour=hour)
        return rows[0][0] if rows else None

    def sharing(self, hour: int, pieces: Iterable[Piece]) -> set[int]:
        """The other hours with a line of a trade id that these pieces of an hour have a line of too."""
        found = set()
        for piece in pieces:
            start, end = self.numberings.bounds(piece.start)
            for run in piece.runs:
                found |= {o for (o,) in self._do("sharing", hour=hour, start=start, end=end, **asdict(run))}
        return found

    def count(self, hour: int) -> int | None:
        """How many trades the bars of an hour have; None where they were not written, as far as the ledger knows.

        A line that another hour's contradicts may name a trade that is in the other hour's bars.
        """
        rows = self._do("built", hour=hour)
        return rows[0][1] if rows else None
