"""The share of complete minutes that agree with the exchange, kept over time: ``reports/parity.parquet``.

One row a symbol-day (`lake.schemas.PARITY`), written whole. A validation replaces the row of a day unless it looked at
a smaller part of it than the one before: an hour of this morning does not hide what was found of yesterday.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from expectations.day_result import DayResult
from expectations.reasons import HOLE, LATE, REVISED, TWICE
from lake import checksums
from lake.errors import LakeError
from lake.files import opened, set_aside, write_parquet
from lake.layout import Layout
from lake.schemas import PARITY
from lake.windows import MINUTE_US, Window

Row = dict[str, Any]
LAST_DAYS = 30
"""What the report shows."""


def keep(layout: Layout, days: Iterable[DayResult], window: Window) -> tuple[list[Row], list[str]]:
    """Note the symbol-days of a validation of which any minute was compared. Call it with the validation's lock held.

    Returns:
        All rows there are now, and what a reader must know: that the file was damaged, and is made anew.

    Raises:
        LakeError: the file cannot be opened or written.
    """
    held, notes = _read(layout)
    before = {(row["symbol"], row["day"]): row for row in held}
    after = dict(before)
    for day in days:
        row = _row(day, window)
        known = before.get((day.symbol, day.day))
        if row and (known is None or row["validated_minutes"] >= known["validated_minutes"]):
            after[day.symbol, day.day] = row
    rows = [after[key] for key in sorted(after)]
    if after != before:
        write_parquet(layout.parity, PARITY.conform(pa.Table.from_pylist(rows, PARITY.arrow)), "snappy")
    return rows, notes


def recent(rows: Iterable[Row], symbols: Iterable[str], last: date) -> tuple[Row, ...]:
    """Return the rows of some symbols in the last days up to one, by day and symbol."""
    wanted, first = set(symbols), last - timedelta(days=LAST_DAYS - 1)
    found = [row for row in rows if row["symbol"] in wanted and first <= row["day"] <= last]
    return tuple(sorted(found, key=lambda row: (row["day"], row["symbol"])))


def _row(day: DayResult, window: Window) -> Row | None:
    part = Window.of_day(day.day).clip(window)
    if day.parity is None or not day.parity.checked or part is None:
        return None
    reasons = day.parity.reasons
    return {
        "symbol": day.symbol,
        "day": day.day,
        "complete_minutes": day.parity.complete,
        "compared": day.parity.checked,
        "agree": day.parity.checked - day.parity.violations,
        "share": (day.parity.checked - day.parity.violations) / day.parity.checked,
        "hole_of_ours": reasons.get(HOLE, 0),
        "counted_twice": reasons.get(TWICE, 0),
        "late_trade": reasons.get(LATE, 0),
        "revision_upstream": reasons.get(REVISED, 0),
        "klines_missing": day.parity.not_there,
        "klines_off_grid": day.parity.off_grid,
        "validated_minutes": (part.end_us - part.start_us) // MINUTE_US,
    }


def _read(layout: Layout) -> tuple[list[Row], list[str]]:
    """The rows that are held, and a note where the file was damaged; it is set aside then."""
    path = layout.parity
    if not path.exists():
        return [], []
    try:
        with opened(path, checksums.read(path)) as file:
            return PARITY.conform(file.read()).to_pylist(), []
    except (pa.ArrowException, OSError, LakeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's or a right's, not the file's
            raise LakeError(f"{path}: cannot be read ({error.strerror}): check the folder and disk") from error
        aside = set_aside(path)
    return [], [
        f"{path.parent.name}/{path.name} could not be read and is made anew; what it had is set aside in "
        f"{path.parent.name}/{aside.name}: validate the days before again to have their agreement too"
    ]
