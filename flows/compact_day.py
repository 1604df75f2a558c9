"""Closed days to one file each."""

from datetime import UTC, datetime

from prefect import State, flow

from lake import settings
from lake.params import Day, Symbols
from tasks import artifacts, progress
from tasks.bars import compact_bars, find_closed
from tasks.runs import each, ended, many, named, reported, unknown


@flow(flow_run_name=named("compact"))
@reported
def compact_day(symbols: Symbols | None = None, date: Day | None = None) -> State:
    """Make one Parquet file, with its SHA-256 beside it, of each closed day's hour files.

    Args:
        symbols: Pairs, such as SOLUSDT. Left out: every symbol that has bars.
        date: The UTC day to compact, such as 2025-10-21; it must be over. Left out: every closed day not yet compacted.
    """
    lake, today = settings.load(), datetime.now(UTC).date()
    strange = unknown(symbols, lake.layout.bar_symbols(), "has no bars: transform it first")
    days = find_closed(lake.layout, symbols, date, today)
    if not days:
        return ended("nothing to compact: every closed day is compacted", strange, 0)
    with progress.shown("compact") as shown:
        done, failed = each(
            days, lambda item: compact_bars(lake.layout, *item, lake.transformer.parquet_compression), shown
        )
    rows = [
        {"symbol": c.symbol, "day": f"{c.day}", "rows": c.rows, "sha256": c.sha256, "seconds": round(c.seconds, 2)}
        for c in done
    ]
    artifacts.table("compact-day", rows, "Days compacted, with their hashes")
    total = sum(c.rows for c in done)
    return ended(f"{many(len(done), 'symbol-day')}, {total:,} bars", strange | failed, total)
