"""What is checked, one symbol-day of one table at a time, as it lies in the files: nothing is repaired or refused.

`lake.read` conforms and raises, as its users want it. Validation has to look at what is really there: a column that is
missing is read as nulls and one of another type is cast as far as that goes, and both are reported (R0).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations import due, fundings
from expectations.lenient import Found, load
from expectations.tables import STEP_US, Table
from lake.errors import LakeError
from lake.gaps import Known
from lake.layout import Layout
from lake.ranges import Range
from lake.read import gap_files, rolled_up
from lake.schemas import UTC_US
from lake.windows import HOUR_US, Window, iso

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SymbolDay:
    """The rows of one symbol in one UTC day, or in the part of it that is validated.

    Attributes:
        of: the table they are of.
        symbol: the pair, contract or ticker.
        day: the UTC day.
        tf: the length of a window.
        window: the part of the day that is validated.
        due: the ranges (µs) whose windows must be there by now.
        absent: how many windows more there would be, had the exchange had them.
        table: the rows as they are, with the columns of `Table.arrow`, sorted by window_start.
        stored: the same as they are stored: of minute bars the seconds.
        files: how many files they came from.
        odd: the columns that are missing or of another type in a file: what was found, and in which file first.
        more: facts that only this table's checks ask for.
    """

    of: Table
    symbol: str
    day: date
    tf: str
    window: Window
    due: list[Range]
    absent: int
    table: pa.Table
    stored: pa.Table
    files: int
    odd: Found
    more: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """The rows as pandas has them; ids stay integers where some are null."""
        import pandas as pd

        return self.table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)

    @cached_property
    def windows(self) -> npt.NDArray[np.int64]:
        """The start of every window that must be there by now, in µs."""
        return due.windows(self.due, self.tf)

    def hours(self) -> tuple[float | None, ...]:
        """Return the share of each hour's windows that is there, None where none must be."""
        if self.of.yearly:
            held = fundings.held(self.windows, self.more["held"])
        else:
            held = due.among(self.windows, self._there, self.tf)
        hour = (self.windows - Window.of_day(self.day).start_us) // HOUR_US
        total, there = np.bincount(hour, minlength=24), np.bincount(hour, held, minlength=24)
        return tuple(float(there[at] / total[at]) if total[at] else None for at in range(24))

    @property
    def _there(self) -> npt.NDArray[np.int64]:
        own = self.table["window_start"].filter(pc.equal(self.table["symbol"], self.symbol))
        found: npt.NDArray[np.int64] = own.drop_null().cast(pa.int64()).to_numpy()
        return found

    def count(self, column: str, value: object) -> int:
        """Return how many rows have this value in a column."""
        return pc.sum(pc.equal(self.table[column], pa.scalar(value, self.table[column].type))).as_py() or 0

    def last_trade_id(self, before: int | None) -> int | None:
        """Return the id with which the symbol's own trades end here; without any, that of the days before."""
        if "last_trade_id" not in self.table.column_names:
            return None
        found = self.ids("last_trade_id")
        return found[-1].as_py() if len(found) else before

    def ids(self, column: str) -> pa.ChunkedArray:
        """Return a column of trade ids, those of the symbol's own bars with trades, in order."""
        return self.table[column].filter(pc.equal(self.table["symbol"], self.symbol)).drop_null()

    def facts(
        self, *, wide_counts: bool, previous_trade_id: int | None, known: Known
    ) -> dict[str, Any]:  # fmt: skip
        """What the checks of the rulepack are told (`Check.facts`), ready for JSON."""
        return {
            "table": self.of.name,
            "symbol": self.symbol,
            "timeframe": self.tf,
            "day": iso(Window.of_day(self.day).start),
            "due": [list(one) for one in self.due],
            "found": self.odd,
            "files": self.files,
            "wide_counts": wide_counts,
            "previous_trade_id": previous_trade_id,
            "never_existed": [list(one) for one in known.never],
            "numberings": list(known.starts),
            **self.more,
        }


def symbol_days(
    layout: Layout, of: Table, symbol: str, window: Window, tf: str, now: datetime
) -> Iterator[SymbolDay]:  # fmt: skip
    """Yield the days of a symbol up to the present, in order: those that have rows, and those that should have some.

    Raises:
        LakeError: a file cannot be read, or its seconds cannot be rolled up to minutes.
    """
    year = None
    for day, part in window.parts(now):
        found = read(layout, of, symbol, day, part, tf, now, strays=not of.yearly or day.year != year)
        year = day.year
        if found.due or found.table.num_rows:
            yield found


def read(
    layout: Layout, of: Table, symbol: str, day: date, part: Window, tf: str, now: datetime, *, strays: bool = True
) -> SymbolDay:  # fmt: skip
    """Return the rows of a symbol in a part of a day, whatever is in their files.

    Args:
        layout: the lake.
        of: the table.
        symbol: the pair, contract or ticker.
        day: the UTC day.
        part: the part of it that is validated.
        tf: the length of a window.
        now: the present.
        strays: take the rows too that cannot be in those files at all.

    Raises:
        LakeError: a file cannot be read, or its seconds cannot be rolled up to minutes.
    """
    odd: Found = {}
    files = of.files(layout, symbol, day, tf, lambda path: load(path, of, odd))
    place = Window.of_day(day)
    if of.yearly:
        place = Window(place.start.replace(month=1, day=1), place.start.replace(year=day.year + 1, month=1, day=1))
    tables = [_inside(table, part, place if strays else None) for table in files]
    stored = table = pa.concat_tables([of.arrow.empty_table(), *tables]).sort_by("window_start")
    if of.name == "bars" and tf == "1m":
        table = _minutes(table, of, f"{symbol} {day}", gap_files(layout, symbol))
    ranges, absent = due.due(layout, of, symbol, part, tf, now)
    more = fundings.facts(layout, of, symbol, day) if of.yearly else {}
    return SymbolDay(of, symbol, day, tf, part, ranges, absent, table, stored, len(tables), odd, more)


def _inside(table: pa.Table, part: Window, place: Window | None) -> pa.Table:
    """The rows in a part of a day, and those that cannot be in their file's place at all: R5 counts them."""
    start = table["window_start"]
    wanted = _between(start, part)
    if place is None:
        return table.filter(wanted)
    return table.filter(pc.fill_null(pc.or_(wanted, pc.invert(_between(start, place))), True))


def _between(start: pa.ChunkedArray, window: Window) -> pa.ChunkedArray:
    first, end = (pa.scalar(time, UTC_US) for time in (window.start, window.end))
    return pc.and_(pc.greater_equal(start, first), pc.less(start, end))


def _minutes(seconds: pa.Table, of: Table, what: str, gap_files: list[str]) -> pa.Table:
    """Roll up with the statement behind the view `bars_1m`."""
    try:
        return rolled_up(seconds, "1m", gap_files).select(of.schema.names).cast(of.arrow)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        message = f"{what}: its seconds cannot be rolled up to minutes ({reason}): validate them first, with tf 1s"
        raise LakeError(message) from error


__all__ = ["STEP_US", "SymbolDay", "read", "symbol_days"]
