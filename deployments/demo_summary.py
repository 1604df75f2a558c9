"""What the demo shows at its end: what was collected, what came of it, where to look."""

import hashlib

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from deployments.demo_steps import SYMBOLS, Demo, yesterday
from lake import read


def summary(demo: Demo, seconds: float) -> RenderableType:
    """Return a table of the symbols, a table of the runs, and where everything is."""
    return Panel(
        Group(_symbols(demo), "", _runs(demo), "", _places(demo)), title=f"crypto-lake: done in {seconds:.0f} s"
    )


def _symbols(demo: Demo) -> Table:
    table = Table("symbol", box=None)
    for title in ("trades today", "bars", "gaps (s)", "complete", "bars of yesterday", "SHA-256"):
        table.add_column(title, justify="right")
    window = demo.range
    for symbol in SYMBOLS:
        bars = read.bars(demo.layout, symbol, window)
        gaps = int((window.end - window.start).total_seconds()) - len(bars)
        path = demo.layout.day_file(symbol, yesterday().start.date())
        counts = (sum(bars["trade_count"].to_pylist()), len(bars), gaps, sum(bars["complete"].to_pylist()))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        table.add_row(symbol, *(f"{count:,}" for count in (*counts, len(read.file(path)))), f"{digest[:12]}...")
    return table


def _runs(demo: Demo) -> Table:
    table = Table("deployment", "state", "s", "what it says", box=None)
    for deployment, run in demo.runs.items():
        table.add_row(deployment, run.state, f"{run.seconds:.1f}", run.message)
    return table


def _places(demo: Demo) -> Table:
    base = demo.layout.base
    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("lake", str(base))
    table.add_row("slice", str(base / "slices" / "collected.parquet"))
    table.add_row("Data Docs", (demo.layout.reports / "data_docs" / "index.html").as_uri())
    for report in sorted(demo.layout.reports.glob("*.md")):
        table.add_row("report", str(report))
    table.add_row("Prefect UI", f"{demo.api.url} (while this runs: make demo KEEP=1)")
    table.add_row("mind", "The market is made up, and yesterday is ten minutes imported from the stand-in's history,")
    table.add_row("", "because a day is compacted only when it is over.")
    return table
