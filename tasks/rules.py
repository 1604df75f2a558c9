"""The task that checks the lake against the rules; it alone imports Great Expectations, which takes seconds."""

from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from lake import derivatives_store
from lake.layout import Layout
from lake.params import RulesSource, RulesTimeframe
from lake.progress import Progress
from lake.settings import Settings
from lake.windows import Window
from tasks.runs import lake_task

if TYPE_CHECKING:
    from expectations.outcome import Outcome


def names_of(lake: Settings, source: RulesSource, asked: list[str] | None) -> list[str]:
    """Return the pairs, contracts or tickers that a source is validated of: those asked for, or all that there are.

    Raises:
        BadInputError: one that is asked for is none.
    """
    if asked:
        from expectations.tables import checked_names

        return list(checked_names(source, asked))
    if source == "macro":
        return list(lake.macro_minute.tickers)
    if source == "derivatives":
        return [symbol for symbol in lake.symbols if derivatives_store.holds(lake.layout, symbol)]
    return lake.layout.kline_symbols() if source == "klines" else lake.layout.bar_symbols()


@lake_task("check {window}", retries=1)
def check_rules(
    layout: Layout,
    symbols: list[str],
    window: Window,
    tf: RulesTimeframe | None,
    source: RulesSource,
    now: datetime,
    report: Path | None,
    progress: Progress,
    notes: list[str],
    keep_runs: int = 90,
) -> "Outcome":
    """Check a source against every rule; write the Markdown report and Data Docs."""
    from expectations.validate import validate

    told, total = count(), len(symbols) * len(list(window.days(now)))
    return validate(
        layout, symbols, window, tf, source, now=now, report=report, notes=notes, keep_runs=keep_runs,
        progress=lambda what: progress(min(next(told) / total, 1.0), what),
    )  # fmt: skip
