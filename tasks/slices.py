"""The task that writes a slice."""

from pathlib import Path
from typing import Literal

from lake import export
from lake.export import Sliced
from lake.layout import Layout
from lake.progress import Progress
from lake.timeframes import Timeframe
from lake.windows import Window
from tasks.runs import lake_task


@lake_task("write {out}", retries=0)
def write_slice(
    layout: Layout,
    symbols: list[str],
    window: Window,
    tf: Timeframe,
    out: Path,
    form: Literal["parquet", "csv"],
    compression: str,
    progress: Progress,
) -> Sliced:
    """Write bars to one file, whole or not at all."""
    return export.slice_to(layout, symbols, window, tf, out, form, compression, progress)
