"""The task that checks bars against the rules. Great Expectations takes seconds to import, so only this task does."""

from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lake.layout import Layout
from lake.windows import Window
from tasks.progress import Progress
from tasks.runs import lake_task

if TYPE_CHECKING:
    from expectations.outcome import Outcome


@lake_task("check {window}", retries=1)
def check_rules(
    layout: Layout,
    symbols: list[str],
    window: Window,
    tf: Literal["1s", "1m"],
    source: Literal["bars"],
    now: datetime,
    report: Path | None,
    progress: Progress,
    keep_runs: int = 90,
) -> "Outcome":
    """Check bars against every rule; write the Markdown report and Data Docs."""
    from expectations.validate import validate

    told, total = count(), len(symbols) * len(list(window.days()))
    return validate(
        layout, symbols, window, tf, source, now=now, report=report,
        progress=lambda what: progress(min(next(told) / total, 1.0), what), keep_runs=keep_runs,
    )  # fmt: skip
