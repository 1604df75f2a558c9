"""Where trade ids start again, as a small Parquet file a symbol, for those who read bars and not the ledger."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from lake import files
from lake.errors import LakeError
from lake.layout import Layout
from lake.numbering import Numberings
from lake.schemas import NUMBERINGS


def put(layout: Layout, symbol: str, numberings: Numberings) -> None:
    """Bring the file of a symbol up to date; where ids have never started again there is none."""
    path = layout.numberings(symbol)
    if not numberings.starts:
        path.unlink(missing_ok=True)
    elif not path.exists() or starts(layout, symbol) != list(numberings.starts):
        columns = [[symbol] * len(numberings.starts), list(numberings.starts)]
        files.write_parquet(path, pa.table(columns, schema=NUMBERINGS.arrow), "snappy")


def starts(layout: Layout, symbol: str) -> list[int]:
    """Return the seconds with which the trade ids of a symbol start again, in microseconds since 1970 UTC, in order.

    Raises:
        LakeError: the file cannot be read.
    """
    path = layout.numberings(symbol)
    if not path.exists():
        return []
    try:
        table = pq.read_table(path, columns=["window_start"], partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise LakeError(f"{path}: cannot be read ({error}): remove it and run transform-hour") from error
    found: list[int] = table["window_start"].cast(pa.int64()).to_pylist()
    return found
