"""The bars that are checked, one symbol-day at a time, as they lie in the files: nothing is repaired or refused.

`lake.read` conforms and raises, as its users want it. Validation has to look at what is really there: a column that is
missing is read as nulls and one of another type is cast as far as that goes, and both are reported (R0).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lake.errors import LakeError
from lake.layout import Layout
from lake.read import Timeframe, day_tables, rolled_up
from lake.schemas import BARS, UTC_US
from lake.windows import MINUTE_US, SECOND_US, Window, iso, micros, moment

if TYPE_CHECKING:
    import pandas as pd

STEP_US = {"1s": SECOND_US, "1m": MINUTE_US}
Found = dict[str, dict[str, str]]


@dataclass(frozen=True)
class SymbolDay:
    """The bars of one symbol in one UTC day, or in the part of it that is validated.

    Attributes:
        symbol: the pair.
        day: the UTC day.
        window: the part of the day that is validated.
        due: the windows that must be there by now, whole ones: None where there is none.
        table: the bars as they are, with the columns of `lake.schemas.BARS`, sorted by window_start.
        files: how many files they came from.
        odd: the columns that are missing or of another type in a file: what was found, and in which file first.
    """

    symbol: str
    day: date
    tf: Timeframe
    window: Window
    due: Window | None
    table: pa.Table
    files: int
    odd: Found

    @cached_property
    def frame(self) -> "pd.DataFrame":
        """The bars as pandas has them; ids stay integers where some are null."""
        import pandas as pd

        return self.table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)

    @property
    def expected(self) -> int:
        """How many windows must be there by now."""
        return (self.due.end_us - self.due.start_us) // STEP_US[self.tf] if self.due else 0

    def count(self, column: str, value: object) -> int:
        """Return how many bars have this value in a column."""
        return pc.sum(pc.equal(self.table[column], pa.scalar(value, self.table[column].type))).as_py() or 0

    def last_trade_id(self, before: int | None) -> int | None:
        """Return the id with which the symbol's own trades end here; without any, that of the days before."""
        own = self.table.filter(pc.equal(self.table["symbol"], self.symbol))["last_trade_id"].drop_null()
        return own[-1].as_py() if len(own) else before

    def facts(self, *, wide_counts: bool, previous_trade_id: int | None) -> dict[str, Any]:
        """What the checks of the rulepack are told (`Check.facts`), ready for JSON."""
        start, end = (self.due.start, self.due.end) if self.due else (self.window.start, self.window.start)
        return {
            "symbol": self.symbol,
            "timeframe": self.tf,
            "day": iso(Window.of_day(self.day).start),
            "start": iso(start),
            "end": iso(end),
            "found": self.odd,
            "files": self.files,
            "wide_counts": wide_counts,
            "previous_trade_id": previous_trade_id,
        }


def whole(window: Window, tf: Timeframe, now: datetime | None = None) -> Window | None:
    """Return the whole windows of a timeframe that lie in a stretch of time and, given ``now``, have ended by then."""
    step = STEP_US[tf]
    end_us = min(window.end_us, micros(now)) if now else window.end_us
    start_us, end_us = -(-window.start_us // step) * step, end_us // step * step
    return Window(moment(start_us), moment(end_us)) if start_us < end_us else None


def symbol_days(layout: Layout, symbol: str, window: Window, tf: Timeframe, now: datetime) -> Iterator[SymbolDay]:
    """Yield the days of a symbol, in order: those that have bars, and those that should have some by now.

    Raises:
        LakeError: a file cannot be read, or its seconds cannot be rolled up to minutes.
    """
    for day in window.days():
        part = Window.of_day(day).clip(window)
        found = read(layout, symbol, day, part, tf, now)
        if found.expected or found.table.num_rows:
            yield found


def read(layout: Layout, symbol: str, day: date, part: Window, tf: Timeframe, now: datetime) -> SymbolDay:
    """Return the bars of a symbol in a part of a day, whatever is in their files.

    Raises:
        LakeError: a file cannot be read, or its seconds cannot be rolled up to minutes.
    """
    odd: Found = {}
    files = day_tables(layout, symbol, day, lambda path: _lenient(path, odd))
    tables = [_inside(table, day, part) for table in files]
    table = pa.concat_tables([BARS.empty().cast(_NULLABLE), *tables]).sort_by("window_start")
    if tf == "1m":
        table = _minutes(table, f"{symbol} {day}")
    return SymbolDay(symbol, day, tf, part, whole(part, tf, now), table, len(tables), odd)


_NULLABLE = pa.schema([pa.field(column.name, column.type) for column in BARS.columns])


def _inside(table: pa.Table, day: date, part: Window) -> pa.Table:
    """The rows in a part of a day, and those that cannot be in a file of that day at all: R5 counts them."""
    start = table["window_start"]
    at = [pa.scalar(time, UTC_US) for time in (part.start, part.end, Window.of_day(day).start, Window.of_day(day).end)]
    wanted = pc.and_(pc.greater_equal(start, at[0]), pc.less(start, at[1]))
    misplaced = pc.or_(pc.less(start, at[2]), pc.greater_equal(start, at[3]))
    return table.filter(pc.fill_null(pc.or_(wanted, misplaced), True))


def _lenient(path: Path, odd: Found) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            table = file.read(columns=[name for name in file.schema_arrow.names if name in BARS.names])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise LakeError(f"{path}: not readable as Parquet ({error}): move it away and transform its hours") from error
    columns = []
    for column in BARS.columns:
        index = table.schema.get_all_field_indices(column.name)
        values = table.column(index[0]) if index else None
        if values is None or _plain(values.type) != column.type:
            odd.setdefault(
                column.name, {"found": str(values.type) if values is not None else "missing", "file": path.name}
            )
        columns.append(_cast(values, column.type, table.num_rows))
    return pa.table(columns, schema=_NULLABLE)


def _plain(kind: pa.DataType) -> pa.DataType:
    """A type without what only Arrow distinguishes: the width of offsets, dictionaries, names of the zone UTC."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) and kind.tz in ("UTC", "Etc/UTC", "+00:00", "Z"):
        return pa.timestamp(kind.unit, tz="UTC")
    return kind


def _cast(values: pa.ChunkedArray | None, kind: pa.DataType, rows: int) -> pa.ChunkedArray | pa.Array:
    if values is None:
        return pa.nulls(rows, kind)
    if values.type == kind:
        return values
    try:
        return values.cast(kind, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.nulls(rows, kind)


def _minutes(seconds: pa.Table, what: str) -> pa.Table:
    """Roll up with the statement behind the view `bars_1m`, as `lake.read.minutes`, but take what comes out."""
    try:
        return rolled_up(seconds).select(BARS.names).cast(_NULLABLE)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        message = f"{what}: its seconds cannot be rolled up to minutes ({reason}): validate them first, with tf 1s"
        raise LakeError(message) from error
