"""The bars of one hour as they lie in the lake: in a file of its own, or in its day's once that is compacted."""

import pyarrow as pa
from loguru import logger

from lake import files, read
from lake.errors import LakeError
from lake.layout import Layout
from lake.windows import SECOND_US, Window, floor_hour, micros


def there(layout: Layout, symbol: str, hour: int) -> pa.Table | None:
    """Return the bars that an hour (microseconds since 1970 UTC) has, or None.

    Its own file's, else those in its day's; an hour file that is torn has none.
    """
    at = floor_hour(hour)
    own, day = layout.hour_file(symbol, at), layout.day_file(symbol, at.date())
    if own.exists():
        try:
            return read.file(own)
        except LakeError as error:
            logger.warning("{}: written anew", error)
            return None
    return read.inside(read.file(day), Window.of_hour(at)) if day.exists() else None


def write(layout: Layout, symbol: str, hour: int, table: pa.Table, compression: str) -> None:
    """Write the bars of an hour unless they are there already, so that a compacted day stays compacted."""
    at = floor_hour(hour)
    path = layout.hour_file(symbol, at)
    files.sweep(path.parent)
    before = there(layout, symbol, hour)
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
