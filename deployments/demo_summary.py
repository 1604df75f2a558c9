"""What the demo shows at its end: what was collected, what came of it, where to look."""

import hashlib

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from deployments.demo_steps import SYMBOLS, Demo, yesterday
from lake import read


def summary(demo: Demo, seconds: float, keep: bool = False) -> RenderableType:
    """Return a table of the symbols, a table of the runs, where everything is, and what to do next.

    Args:
        demo: What was done.
        seconds: How long it took.
        keep: Whether Prefect goes on, so that its UI can be looked at.
    """
    parts = (_symbols(demo), _runs(demo), _places(demo, keep), _next(demo))
    shown = [line for part in parts for line in (part, "")][:-1]
    return Panel(Group(*shown), title=f"crypto-lake: done in {seconds:.0f} s")


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


def _pairs() -> Table:
    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _places(demo: Demo, keep: bool) -> Table:
    base, table = demo.layout.base, _pairs()
    table.add_row("lake", str(base))
    table.add_row("slice", str(base / "slices" / "collected.parquet"))
    table.add_row("Data Docs", (demo.layout.reports / "data_docs" / "index.html").as_uri())
    for report in sorted(demo.layout.reports.glob("*.md")):
        table.add_row("report", str(report))
    if keep:
        table.add_row("Prefect UI", demo.api.url)
    table.add_row("mind", "The market is made up, and yesterday is ten minutes imported from the stand-in's history,")
    table.add_row("", "because a day is compacted only when it is over.")
    return table


def _next(demo: Demo) -> Table:
    config, table = demo.layout.base / "config.yml", _pairs()
    table.add_row("ask it", "source .venv/bin/activate       (Windows: .venv\\Scripts\\activate)")
    table.add_row("", f"export LAKE_CONFIG={config}")
    table.add_row("", "crypto-lake sql 'FROM bars_1m LIMIT 5'")
    table.add_row(
        "see it live", "crypto-lake up --demo           (in place of this lake: charts, Prefect's UI, Data Docs)"
    )
    return table
