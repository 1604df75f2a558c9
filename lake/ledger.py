"""The ledger: which raw parts have been read, which hours they touch, which are dirty, which trade ids are held.

One SQLite file, made anew from raw/ whenever it is missing. It decides what work is pending and what the neighbours of
an hour hold; the bars themselves always come from raw lines.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from lake import sqlite, surroundings
from lake.claims import Claims
from lake.duck import sql
from lake.errors import LakeError
from lake.holdings import Holdings
from lake.layout import Layout
from lake.raw import Part
from lake.surroundings import Surroundings
from lake.windows import DAY_US, HOUR_US, Window, moment

_VERSION = 2
_EVER = (-(2**62), 2**62)


class Ledger:
    """One connection to the ledger, for one symbol.

    ``ids`` is the part of it that is about trade ids, ``claims`` that about holes in them.
    """

    def __init__(self, layout: Layout, symbol: str) -> None:
        """Open it, or make it. A ledger of an earlier version is brought up to date."""
        self.symbol, self._path = symbol, layout.ledger
        try:
            self._db = sqlite.opened(layout.ledger, 120)
            if self._version() < _VERSION:
                with self.transaction():
                    self._bring_up_to_date(self._version())
        except (sqlite3.DatabaseError, OSError) as error:
            raise self._damaged(error) from error
        self.claims = Claims(layout, symbol, self._do)
        self.ids = Holdings(self._do, self.claims)

    def _version(self) -> int:
        ((version,),) = self._db.execute("PRAGMA user_version").fetchall()
        return int(version)

    def _bring_up_to_date(self, version: int) -> None:
        """Make what the tables lack; ``version`` was read when no other process could change it any more."""
        for name in {0: ["make"], 1: ["make", "from_1"]}.get(version, []):
            for statement in sql(f"ledger/{name}").split(";\n"):
                self._db.execute(statement)

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

    def knows_nothing(self) -> bool:
        """Whether no part of the symbol has ever been read: the ledger is new, or was lost."""
        return not self._do("any_part")

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

    def is_dirty(self, hour: int) -> bool:
        """Whether the bars of an hour are older than what it holds."""
        return bool(self._do("dirty", start=hour, end=hour + 1))

    def mark_dirty(self, hours: Iterable[int]) -> None:
        """Note hours that must be built again."""
        for hour in hours:
            self._do("put_dirty", hour=hour)

    def built(self, hour: int, pieces: Sequence[Surroundings], trades: int) -> None:
        """Note that the bars of an hour have been written, with their trades and surroundings: it is not dirty."""
        self._do("put_built", hour=hour, surroundings=surroundings.text(pieces), trades=trades)
        self._do("clear_dirty", hour=hour)

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
