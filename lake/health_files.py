"""What has come today, counted without opening more than the footers of files that have changed; and the disk."""

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lake import verified as lake_verified
from lake.disk import Disk, existing
from lake.layout import Layout, part_number
from lake.windows import iso, moment


def today(layout: Layout, day: date) -> dict[str, int]:
    """Return of a UTC day: raw parts that are closed, rows of 1-second bars, macro minutes."""
    raw = (layout.raw_day(symbol, day) for symbol in layout.raw_symbols())
    bars = (path for symbol in layout.bar_symbols() for path in layout.hour_files(symbol, day).values())
    macro = (layout.macro_file(ticker, day) for ticker in layout.tickers())
    return {
        "raw_count_today": sum(map(_parts, raw)),
        "parquet_1s_rows_today": sum(map(_rows, bars)),
        "macro_min_rows_today": sum(map(_rows, macro)),
    }


def disk(layout: Layout) -> dict[str, Any] | None:
    """Return what the lake's file system has left, and whether it is full; None where it does not say."""
    try:
        found = Disk.of(existing(layout.base))
    except OSError:
        return None
    return {
        "free_bytes": found.free,
        "total_bytes": found.total,
        "free_files": found.inodes_free,
        "full": found.full,
    }


def verified(layout: Layout) -> dict[str, Any]:
    """Return how far the scrub has come (`lake.verified.Status`), its time as text."""
    found = lake_verified.status(layout)
    oldest = None if found.oldest_us is None else iso(moment(found.oldest_us))
    return {"items": found.items, "unverified": found.unverified, "oldest_ts": oldest, "damaged": found.damaged}


def _parts(folder: Path) -> int:
    try:
        return sum(part_number(path.name) is not None for path in folder.iterdir())
    except OSError:
        return 0


def _rows(path: Path) -> int:
    try:
        found = path.stat()
        return _rows_of(path, found.st_mtime_ns, found.st_size)
    except (OSError, pa.ArrowException):  # not there, or damaged: the checks of the lake say so, not its heartbeat
        return 0


@lru_cache(maxsize=4096)
def _rows_of(path: Path, mtime_ns: int, size: int) -> int:
    """Rows by the footer. A file that is replaced has another time or size."""
    return int(pq.read_metadata(path).num_rows)
