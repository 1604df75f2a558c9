"""What the exchange is known to have none of: what was before a listing, and its own outages. Never asked for twice."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from lake import sqlite
from lake.duck import sql
from lake.errors import LakeError
from lake.layout import Layout


class History:
    """The memory of one symbol and its klines of an interval, or another series; its file can be thrown away."""

    def __init__(self, layout: Layout, symbol: str, interval: str) -> None:
        """Open the SQLite file, or make it; ``interval`` may be ``funding`` or ``open_interest``, too."""
        self._path, self._of = layout.history, {"symbol": symbol, "interval": interval}
        try:
            self._db = sqlite.opened(self._path, 120)
            if self._db.execute("PRAGMA user_version").fetchone() == (0,):
                self._db.executescript(sql("history/make"))
        except (sqlite3.DatabaseError, OSError) as error:
            raise self._damaged(error) from error

    def __enter__(self) -> "History":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def holes(self) -> list[tuple[int, int]]:
        """The half-open ranges, in microseconds, in which the exchange has nothing, in order."""
        return [(start, end) for start, end in self._do("holes")]

    def put_holes(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Note ranges in which the exchange was asked and has nothing."""
        for start, end in ranges:
            self._do("put_hole", start_us=start, end_us=end)

    def first(self) -> int | None:
        """The open time of the first candle that the exchange has; None where it was not asked yet."""
        rows = self._do("first")
        return rows[0][0] if rows else None

    def put_first(self, first_us: int) -> None:
        """Note the first candle that the exchange has."""
        self._do("put_first", first_us=first_us)

    def _do(self, statement: str, **values: int) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql(f"history/{statement}"), {**self._of, **values}).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> LakeError:
        return LakeError(f"{self._path}: {error}: if it is damaged, remove it; it costs some requests, and no data")
