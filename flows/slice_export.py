"""What is in the lake, as one file."""

from loguru import logger
from prefect import State, flow

from lake import settings, slices
from lake.outputs import SLICES
from lake.params import Codec, End, Format, Out, Series, SliceSource, Start, Timeframe
from lake.windows import Window
from tasks import artifacts, progress
from tasks.places import named_file
from tasks.runs import ended, many, named, reported
from tasks.slices import write_slice


@flow(flow_run_name=named("slice"))
@reported
def slice_export(
    symbols: Series,
    start: Start,
    end: End,
    out: Out,
    tf: Timeframe | None = None,
    source: SliceSource = "bars",
    format: Format = "parquet",  # noqa: A002  the contract's name of it
    compression: Codec | None = None,
    overwrite: bool = False,
    require_complete: bool = False,
) -> State:
    """Write bars, klines, macro minutes or fundings to one Parquet or CSV file with a receipt, whole or not at all.

    Args:
        symbols: Pairs, such as SOLUSDT; of macro, tickers. In the order in which they shall be in the file.
        start: First moment (UTC), such as 2025-10-21T00:00:00Z.
        end: End of the range (UTC, exclusive), such as 2025-10-22T00:00:00Z.
        out: File to write, NAME.receipt.json beside it. A relative path is taken from the lake's folder. A run ordered
            from Prefect writes in its folder slices alone: sol.parquet is slices/sol.parquet there.
        tf: Length of a bar, 1s to 1d. The file has the bars that begin from start on and before end, each of all its
            seconds. Left out: bars as stored (1s), klines of 1m.
        source: What is read: bars (the lake's own), klines (the exchange's), macro (minutes) or funding (hours).
        format: parquet or csv (ISO 8601 times, shortest exact numbers, no cell that a spreadsheet runs as a formula).
        compression: Codec of a Parquet file. Left out: the lake's own, transformer.parquet_compression.
        overwrite: Replace a slice that has the name. Otherwise the run is refused; another file is never replaced.
        require_complete: Write nothing, and name the holes, unless all bars are proved complete or no kline is missing.
    """
    lake = settings.load()
    codec = lake.transformer.parquet_compression
    wanted = slices.asked(source, symbols, Window(start, end), tf, format, compression, codec)
    with progress.shown("slice") as shown:
        done = write_slice(
            lake.layout, wanted, named_file(lake.layout, out, SLICES), overwrite, require_complete, shown
        )
    if done.without_rows:
        logger.warning("{}: no {} in {}", ", ".join(done.without_rows), source, wanted.window)
    artifacts.link("slice-export", done.path, f"{done.path.name}: {done.rows:,} rows, {done.bytes:,} bytes")
    artifacts.link("slice-export-receipt", done.receipt, f"What {done.path.name} was made of")
    found = len(wanted.symbols) - len(done.without_rows)
    return ended(f"{done.path}: {done.rows:,} rows of {many(found, 'symbol')}", {}, done.rows)
