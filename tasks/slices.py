"""The task that writes a slice."""

from pathlib import Path

from lake import export
from lake.export import Sliced
from lake.layout import Layout
from lake.progress import Progress
from lake.slices import Slice
from tasks.runs import lake_task


@lake_task("write {out}", retries=0)
def write_slice(
    layout: Layout, wanted: Slice, out: Path, overwrite: bool, require_complete: bool, progress: Progress
) -> Sliced:
    """Write a slice to one file, and its receipt, whole or not at all."""
    return export.slice_to(layout, wanted, out, overwrite, require_complete, progress)
