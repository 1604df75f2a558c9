"""What each source of history is known not to have: what was before a listing, and outages. It is not asked for twice.

A source's answer speaks for that source alone: REST forgets what was traded under a name before, the archive has days
that were never published. Nobody has a candle when neither has it (`History.absent`).
"""

import sqlite3
from collections.abc import Iterable
from typing import Any, Literal

from lake import sqlite
from lake.duck import sql
from lake.errors import LakeError
from lake.layout import Layout
from lake.ranges import Range, shared

Source = Literal["rest", "archive", "exchange"]
"""Who was asked. Notes about klines name REST or the archive, those about fundings and open interest the exchange."""
_VERSION = 2
_BEGINNING = -(2**62)


class History:
    """The memory of one symbol and its klines of an interval, or another series; its file can be thrown away."""

    def __init__(self, layout: Layout, symbol: str, interval: str) -> None:
        """Open the SQLite file, or make it; ``interval`` may be ``funding`` or ``open_interest``, too.

        A file of an earlier version loses its notes: they were made by rules that noted too much.
        """
        self._path, self._of = layout.history, {"symbol": symbol, "interval": interval}
        try:
            self._db = sqlite.opened(self._path, 120)
            if self._db.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
                self._db.executescript(sql("history/make"))
        except (sqlite3.DatabaseError, OSError) as error:
            raise self._damaged(error) from error

    def __enter__(self) -> "History":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def holes(self, source: Source = "exchange") -> list[Range]:
        """The half-open ranges, in microseconds, in which a source has nothing, in order."""
        return [(start, end) for start, end in self._do("holes", source=source)]

    def put_holes(self, ranges: Iterable[Range], source: Source = "exchange") -> None:
        """Note ranges for which a source was asked and has nothing."""
        for start, end in ranges:
            self._do("put_hole", source=source, start_us=start, end_us=end)

    def first(self) -> int | None:
        """The open time of the first candle that REST has; None where it was not asked yet."""
        rows = self._do("first")
        return rows[0][0] if rows else None

    def put_first(self, first_us: int) -> None:
        """Note the first candle that REST has."""
        self._do("put_first", first_us=first_us)

    def not_at_rest(self) -> list[Range]:
        """The ranges in which REST has no klines: before its first one, and where it was asked for them."""
        first = self.first()
        return ([] if first is None else [(_BEGINNING, first)]) + self.holes("rest")

    def absent(self) -> list[Range]:
        """The ranges in which neither REST nor the archive has klines, in order. Both were asked."""
        return shared(self.not_at_rest(), self.holes("archive"))

    def _do(self, statement: str, **values: int | str) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql(f"history/{statement}"), {**self._of, **values}).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> LakeError:
        return LakeError(f"{self._path}: {error}: if it is damaged, remove it; it costs some requests, and no data")
