"""The task that checks the lake against the rules; it alone imports Great Expectations, which takes seconds."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from lake.layout import Layout
from lake.params import RulesSource, RulesTimeframe
from lake.progress import Progress
from lake.settings import Settings
from lake.windows import Window
from tasks.runs import lake_task

if TYPE_CHECKING:
    from expectations.outcome import Outcome


def names_of(
    lake: Settings, source: RulesSource, tf: RulesTimeframe | None, asked: list[str] | None
) -> list[str]:  # fmt: skip
    """Return the pairs, contracts or tickers of a source to validate: those asked for, or all that the lake holds.

    Raises:
        BadInputError: a name that is asked for is invalid, or the source has no such ``tf``.
    """
    from expectations.tables import checked_names, of_source

    of_source(source, tf)
    if asked:
        return list(checked_names(source, asked))
    return _HELD[source](lake.layout)


def not_held(lake: Settings, source: RulesSource) -> list[str]:
    """Return a line that names what config.yml follows and the lake holds nothing of, if there is any."""
    held = set(_HELD[source](lake.layout))
    followed = lake.macro_minute.tickers if source == "macro" else lake.symbols
    if not (lacking := [name for name in followed if name not in held]):
        return []
    more = f" and {len(lacking) - _NAMED:,} more" if len(lacking) > _NAMED else ""
    return [
        f"config.yml names {', '.join(lacking[:_NAMED])}{more}, and the lake holds no {source} of "
        f"{'it' if len(lacking) == 1 else 'them'}: not checked; fetch what is missing, or name the symbols to check"
    ]


_HELD: dict[RulesSource, Callable[[Layout], list[str]]] = {
    "bars": Layout.bar_symbols,
    "klines": Layout.kline_symbols,
    "macro": Layout.tickers,
    "derivatives": Layout.derivative_symbols,
}
_NAMED = 20


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
    doubts: Sequence[str] = (),
) -> "Outcome":
    """Check a source against every rule; write the Markdown report and Data Docs."""
    from expectations.apart import validated

    told, total = count(), len(symbols) * len(list(window.days(now)))
    return validated(
        layout, symbols, window, tf, source, now=now, report=report, notes=notes, doubts=doubts, keep_runs=keep_runs,
        progress=lambda what: progress(min(next(told) / total, 1.0), what),
    )  # fmt: skip
