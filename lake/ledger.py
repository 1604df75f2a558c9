"""The ledger: which raw parts have been read, which hours they touch, which are dirty, which trade ids are held.

One SQLite file, made anew from raw/ whenever it is missing. It decides what work is pending and what the neighbours of
an hour hold; the bars themselves always come from raw lines.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from lake import sqlite
from lake.claims import Claims
from lake.duck import sql
from lake.errors import LakeError
from lake.layout import Layout
from lake.raw import Part
from lake.surroundings import Edge, Run, Surroundings
from lake.windows import DAY_US, HOUR_US, Window, moment

_EVER = (-(2**62), 2**62)


class Ledger:
    """One connection to the ledger, for one symbol. ``claims`` is the part of it that is about holes in the ids."""

    def __init__(self, layout: Layout, symbol: str) -> None:
        """Open it, or make it."""
        self.symbol, self._path = symbol, layout.ledger
        try:
            self._db = sqlite.opened(layout.ledger, 120)
            if self._db.execute("PRAGMA user_version").fetchone() == (0,):
                self._db.executescript(sql("ledger/make"))
        except (sqlite3.DatabaseError, OSError) as error:
            raise self._damaged(error) from error
        self.claims = Claims(layout, symbol, self._do)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of a block or none of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _do(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql(f"ledger/{statement}"), {"symbol": self.symbol, **values}).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> LakeError:
        remedy = "if it is damaged, remove it; it is made anew from raw/ on the next run"
        return LakeError(f"{self._path}: {error}: {remedy}")

    def folders(self) -> dict[date, int]:
        """When each raw day folder had last changed, as it was last read whole."""
        return {date.fromisoformat(day): mtime for day, mtime in self._do("folders")}

    def part_days(self) -> set[date]:
        """The days of which parts are known that are not known to be gone."""
        return {date.fromisoformat(day) for (day,) in self._do("days_of_parts")}

    def parts(self, day: date) -> dict[str, Part]:
        """The parts known of a day folder, by name."""
        return {row[0]: Part(day, *row) for row in self._do("parts_of_day", day=day.isoformat())}

    def folder_read(self, day: date, mtime_ns: int) -> None:
        """Note that a day folder, as it was at this time of change, has been read whole."""
        self._do("put_folder", day=day.isoformat(), mtime_ns=mtime_ns)

    def lose(self, day: date, names: Iterable[str]) -> None:
        """Note that parts are no longer there. Their hours keep the bars they have."""
        with self.transaction():
            for name in names:
                self._do("lose_part", day=day.isoformat(), name=name)

    def put_part(self, part: Part, hours: Iterable[int]) -> None:
        """Note a part that has been read and the hours it touches: these are dirty now, and those it touched before."""
        values = {"day": part.day.isoformat(), "name": part.name, "size": part.size, "mtime_ns": part.mtime_ns}
        ((number,),) = self._do("put_part", **values)
        self._do("dirty_hours_of_part", part=number)
        self._do("clear_part_hours", part=number)
        for hour in hours:
            self._do("put_part_hour", hour=hour, part=number)
            self._do("put_dirty", hour=hour)

    def dirty(self, window: Window | None = None) -> list[int]:
        """The dirty hours (microseconds since 1970 UTC), in order; of a window, those that it touches."""
        return [hour for (hour,) in self._do("dirty", **_bounds(window))]

    def hours(self, window: Window) -> list[int]:
        """The hours that a window touches and that any part has events of, in order."""
        return [hour for (hour,) in self._do("hours", **_bounds(window))]

    def parts_of_hour(self, hour: int) -> tuple[list[tuple[date, str, int]], bool]:
        """The parts (day, name, bytes) that have events of an hour, and whether others that had are gone."""
        rows = self._do("parts_of_hour", hour=hour)
        here = [(date.fromisoformat(day), name, size) for day, name, size, gone in rows if not gone]
        return here, len(here) < len(rows)

    def holds(self, hour: int, edge: Edge | None, runs: Iterable[Run]) -> set[int]:
        """Note what an hour holds now. Returns the other hours whose surroundings this may have changed."""
        affected = self._beside(hour)
        self.claims.forget_holes()
        self._do("clear_edge", hour=hour)
        self._do("clear_runs", hour=hour)
        if edge:
            self._do("put_edge", hour=hour, first_id=edge.first_id, last_id=edge.last_id, last_price=edge.last_price)
        for run in runs:
            self._do("put_run", hour=hour, first_id=run.first_id, last_id=run.last_id)
        return affected | self._beside(hour)

    def _beside(self, hour: int) -> set[int]:
        """The hours that share an id boundary with an hour, or lie between it and the nearest trades on either side."""
        beside = {other for run in self._runs(hour) for other in self._holders(run)}
        before, after = self._edge("edge_before", hour), self._edge("edge_after", hour)
        here = self._edge("edge_at", hour)
        start = before.hour if before else _EVER[0]
        end = after.hour if after else _EVER[1]
        beside |= {other for (other,) in self._do("built_between", after=start, before=end)}
        for left, right in ((before, here), (here, after), (before, after)):
            if left and right and left.last_id + 1 == right.first_id:
                beside |= set(range(left.hour + HOUR_US, right.hour, HOUR_US))
        beside |= {edge.hour for edge in (before, after) if edge}
        return beside - {hour}

    def _holders(self, run: Run) -> Iterator[int]:
        for number in (run.first_id - 1, run.last_id + 1):
            yield from (hour for (hour,) in self._do("holders", id=number))

    def _runs(self, hour: int) -> list[Run]:
        return [Run(*row) for row in self._do("runs", hour=hour)]

    def _edge(self, statement: str, hour: int) -> Edge | None:
        rows = self._do(statement, hour=hour)
        return Edge(*rows[0]) if rows else None

    def surroundings(self, hour: int) -> Surroundings:
        """What the bars of an hour depend on outside the hour. Ids that never existed count as held."""
        never = self.claims.valid(hour)
        first, last = {gap.first_id for gap in never}, {gap.last_id for gap in never}
        ends = tuple(
            (
                run,
                run.first_id - 1 in last or bool(self._do("holders", id=run.first_id - 1)),
                run.last_id + 1 in first or bool(self._do("holders", id=run.last_id + 1)),
            )
            for run in self._runs(hour)
        )
        return Surroundings(self._edge("edge_before", hour), self._edge("edge_after", hour), ends, never)

    def stale(self, hours: Iterable[int]) -> list[int]:
        """Those of the hours whose surroundings are not what they were when their bars were written, in order."""
        return [hour for hour in sorted(set(hours)) if self._built(hour) != self.surroundings(hour).text()]

    def _built(self, hour: int) -> str | None:
        rows = self._do("built", hour=hour)
        return rows[0][0] if rows else None

    def is_dirty(self, hour: int) -> bool:
        """Whether the bars of an hour are older than what it holds."""
        return bool(self._do("dirty", start=hour, end=hour + 1))

    def mark_dirty(self, hours: Iterable[int]) -> None:
        """Note hours that must be built again."""
        for hour in hours:
            self._do("put_dirty", hour=hour)

    def built(self, hour: int, surroundings: Surroundings) -> None:
        """Note that the bars of an hour have been written, in these surroundings: it is no longer dirty."""
        self._do("put_built", hour=hour, surroundings=surroundings.text())
        self._do("clear_dirty", hour=hour)

    def sharing(self, hour: int, runs: Iterable[Run]) -> set[int]:
        """The other hours that hold a trade id which these runs hold too."""
        rows = (self._do("sharing", hour=hour, first_id=run.first_id, last_id=run.last_id) for run in runs)
        return {other for found in rows for (other,) in found}

    def count(self, hour: int) -> int | None:
        """How many trades an hour held when its bars were written; None where that is not known."""
        if self._built(hour) is None:
            return None
        return sum(run.last_id - run.first_id + 1 for run in self._runs(hour))

    def built_days(self) -> list[date]:
        """The days that have hours whose bars have been written."""
        return [moment(day * DAY_US).date() for (day,) in self._do("built_days")]

    def built_hours(self, day: date) -> list[int]:
        """The hours of a day whose bars have been written, in order."""
        window = Window.of_day(day)
        rows = self._do("built_between", after=window.start_us - 1, before=window.end_us)
        return [hour for (hour,) in rows]

    def forget_bars(self, hour: int) -> None:
        """Note that the bars of an hour are not known to be those that it holds."""
        self._do("clear_built", hour=hour)

    def kept(self, hour: int) -> None:
        """Note that an hour keeps the bars it has, because raw parts of it are gone."""
        self._do("clear_dirty", hour=hour)


def _bounds(window: Window | None) -> dict[str, int]:
    if window is None:
        return {"start": _EVER[0], "end": _EVER[1]}
    return {"start": window.start_us - window.start_us % HOUR_US, "end": window.end_us}
