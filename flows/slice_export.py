"""Bars out of the lake, as one file."""

from pathlib import Path

from loguru import logger
from prefect import State, flow

from lake import settings
from lake.params import BarsSource, End, Format, Out, Start, Symbols, Timeframe
from lake.windows import Window
from tasks import artifacts, progress
from tasks.runs import ended, named, reported
from tasks.slices import write_slice


@flow(flow_run_name=named("slice"))
@reported
def slice_export(
    symbols: Symbols,
    start: Start,
    end: End,
    out: Out,
    tf: Timeframe = "1s",
    source: BarsSource = "bars",
    format: Format = "parquet",  # noqa: A002  the contract's name of it
) -> State:
    """Write the bars of some symbols and a range to one Parquet or CSV file, whole or not at all.

    Args:
        symbols: Pairs, such as SOLUSDT, in the order in which they shall be in the file.
        start: First moment (UTC), such as 2025-10-21T00:00:00Z.
        end: End (UTC), such as 2025-10-22T00:00:00Z; does not belong to the range any more.
        out: File to write; it must not be there yet. A relative path is taken from the lake's base folder.
        tf: Length of a bar: 1s as stored, or 1m rolled up (start and end are then whole minutes).
        source: What is read: bars, the lake's own.
        format: parquet (with the lake's codec) or csv (ISO 8601 times, shortest exact numbers).
    """
    lake, span = settings.load(), Window(start, end)
    codec = lake.transformer.parquet_compression
    with progress.shown("slice") as shown:
        done = write_slice(lake.layout, symbols, span, tf, Path(out), format, codec, shown)
    if done.without_bars:
        logger.warning("{}: no {} in {}", ", ".join(done.without_bars), source, span)
    artifacts.link("slice-export", done.path, f"{done.path.name}: {done.rows:,} bars, {done.bytes:,} bytes")
    return ended(f"{done.path}: {done.rows:,} bars of {len(symbols) - len(done.without_bars)} symbols", {}, done.rows)
