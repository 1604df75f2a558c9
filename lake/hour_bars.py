"""The bars of one hour as they lie in the lake: in a file of its own, or in its day's once that is compacted."""

from collections.abc import Iterable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from lake import damage, files, read
from lake.errors import DamagedError
from lake.layout import Layout
from lake.ledger import Ledger
from lake.schemas import BARS
from lake.surroundings import Surroundings
from lake.windows import HOUR_US, SECOND_US, Window, floor_hour, micros

_IDS = ("first_trade_id", "last_trade_id", "trade_count")
_OF_QUOTES = ("bid", "ask", "spread")
_VALUES = [name for name in BARS.names if name not in ("symbol", "window_start", "complete", *_IDS, *_OF_QUOTES)]


def there(layout: Layout, symbol: str, hour: int) -> pa.Table | None:
    """Return the bars that an hour (microseconds since 1970 UTC) has, or None.

    Raises:
        DamagedError: its file, or its day's, is not what was written.
    """
    at = floor_hour(hour)
    own, day = layout.hour_file(symbol, at), layout.day_file(symbol, at.date())
    if own.exists():
        return read.file(own)
    return read.inside(read.file(day), Window.of_hour(at)) if day.exists() else None


def sound(layout: Layout, ledger: Ledger, hour: int) -> pa.Table | None:
    """Return the same; a damaged file is set aside, and its hours are built again. Holds the symbol's lock of bars."""
    while True:
        try:
            return there(layout, ledger.symbol, hour)
        except DamagedError as error:
            set_aside(layout, ledger, error, floor_hour(hour).date())


def set_aside(layout: Layout, ledger: Ledger, error: DamagedError, day: date) -> bool:
    """Set a damaged file of a day's bars aside, and note that the day's hours are to be built again.

    Returns:
        Whether it was; another process may have done it.
    """
    if damage.set_aside(layout, error) is None:
        return False
    ledger.mark_dirty(ledger.built_hours(day))
    return True


def vanished(layout: Layout, ledger: Ledger) -> list[int]:
    """Return the hours whose bars were written and are in no file, in order."""
    compacted = set(layout.compacted_days(ledger.symbol))
    found = []
    for day in ledger.built_days():
        if day not in compacted:
            here = {micros(hour) for hour in layout.hour_files(ledger.symbol, day)}
            found += [hour for hour in ledger.built_hours(day) if hour not in here and _has_bars(ledger, hour)]
    return found


def _has_bars(ledger: Ledger, hour: int) -> bool:
    """Whether an hour has bars by what the ledger knows: trades, or flat bars between two consecutive ones."""
    return bool(ledger.ids.count(hour)) or any(_flat(piece) for piece in ledger.ids.surroundings(hour))


def _flat(around: Surroundings) -> bool:
    before, after = around.before, around.after
    return before is not None and after is not None and before.last_id + 1 == after.first_id


def short(table: pa.Table, ledger: Ledger, hours: Iterable[int]) -> list[int]:
    """Return those of some hours of which a table has fewer trades than the ledger knows, or no bars at all."""
    times = table["window_start"].cast(pa.int64())
    by_hour = pa.table({"hour": pc.multiply(pc.divide(times, HOUR_US), HOUR_US), "trades": table["trade_count"]})
    sums = by_hour.group_by("hour").aggregate([("trades", "sum")])
    trades = dict(zip(sums["hour"].to_pylist(), sums["trades_sum"].to_pylist(), strict=True))
    return [
        hour for hour in hours
        if trades.get(hour, 0) < (ledger.ids.count(hour) or 0) or (hour not in trades and _has_bars(ledger, hour))
    ]  # fmt: skip


def contradicts(held: pa.Table | None, built: pa.Table) -> bool:
    """Whether two tables of bars have a second of the same trades with other values, nulls aside.

    Not by its quotes: a quote that came later changes a bar rightly.
    """
    if held is None or held.equals(built):
        return False
    both = held.join(built, ["window_start", *_IDS[:1]], join_type="inner", right_suffix=" built")
    same = [pc.equal(both[name], both[f"{name} built"]) for name in _IDS[1:]]
    other = [pc.not_equal(both[name], both[f"{name} built"]) for name in _VALUES]
    of_same = pc.and_(*same)
    return any(pc.any(pc.and_(of_same, one)).as_py() for one in other)


def write(
    layout: Layout, symbol: str, hour: int, table: pa.Table, before: pa.Table | None, compression: str
) -> None:  # fmt: skip
    """Write the bars of an hour unless they are there already (``before``), so that a compacted day stays compacted."""
    at = floor_hour(hour)
    path = layout.hour_file(symbol, at)
    files.sweep(path.parent)
    if before is not None and before.equals(table):
        return
    if len(table) or layout.day_file(symbol, at.date()).exists():
        files.write_parquet(path, table, compression)
    else:
        path.unlink(missing_ok=True)


def missing(table: pa.Table) -> int:
    """Return how many seconds between the first bar and the last have none."""
    if not len(table):
        return 0
    first, last = (micros(table["window_start"][at].as_py()) for at in (0, -1))
    return (last - first) // SECOND_US + 1 - len(table)
