"""Validating bars: every rule on every symbol-day of a window, Data Docs, the Markdown report, the verdict."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations import rulepack
from expectations.days import SymbolDay, symbol_days, whole
from expectations.outcome import DayResult, Outcome, RuleResult, Spreads
from lake import locks, names
from lake.errors import BadInputError
from lake.files import write_text
from lake.layout import Layout
from lake.read import Timeframe
from lake.windows import Window, iso

if TYPE_CHECKING:
    from expectations.project import Project

Progress = Callable[[str], None]
Results = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class _Done:
    """One symbol-day that was validated: what it was told, and Great Expectations' results by check key."""

    day: DayResult
    facts: dict[str, Any]
    wide: bool
    results: Results


def validate(
    layout: Layout,
    symbols: Iterable[str],
    window: Window,
    tf: Timeframe = "1s",
    source: str = "bars",
    *,
    now: datetime,
    report: Path | None = None,
    progress: Progress | None = None,
    keep_runs: int = 90,
) -> Outcome:
    """Check every rule of the rulepack on the bars of symbols in a window; write Data Docs and the Markdown report.

    Memory holds one symbol-day at a time. The same validation twice leaves the same report and pages.

    Args:
        layout: the lake.
        symbols: which pairs.
        window: from when until when; minutes (tf ``1m``) are those that lie in it as a whole.
        tf: ``1s`` or ``1m``.
        source: ``bars``.
        now: the present. A window that has not ended by then is not missed.
        report: where the Markdown report goes; by default below ``reports/``, named by the parameters.
        progress: is told, in words, each symbol-day that begins.
        keep_runs: of how many runs of this suite pages and results stay (`validation.keep_runs`).

    Raises:
        BadInputError: the source or timeframe is none, a symbol is none, no whole minute lies in the window.
        LakeError: a file cannot be read, or an expectation cannot be evaluated. That is never a pass.
    """
    chosen = tuple(names.symbols(symbols))
    window = _checked(window, tf, source)
    from expectations.project import Project  # Great Expectations: seconds to import

    report = Path(report) if report else layout.reports / f"{_report_name(chosen, window, tf, source)}.md"
    with locks.validation(layout):
        project = Project(layout, source, tf, window, chosen)
        done, spreads = _run(project, layout, chosen, window, tf, now, progress or (lambda _: None))
        outcome = Outcome(
            symbols=chosen,
            window=window,
            tf=tf,
            source=source,
            clipped_to=iso(now) if now < window.end else None,
            rows=sum(one.day.rows for one in done),
            rules=tuple(_rule(rule, done) for rule in project.rules),
            days=tuple(one.day for one in done),
            spreads=spreads,
            report=report,
            data_docs=project.finish(keep_runs),
        )
        from expectations.report import markdown

        write_text(report, markdown(outcome))
    return outcome


def _run(
    project: "Project",
    layout: Layout,
    symbols: tuple[str, ...],
    window: Window,
    tf: Timeframe,
    now: datetime,
    progress: Progress,
) -> tuple[list[_Done], tuple[Spreads, ...]]:
    """Validate each symbol-day; those with wide spreads once more, if there turn out to be so many that they count."""
    from expectations.spreads import SpreadTally

    done: list[_Done] = []
    tallies: list[Spreads] = []
    for symbol in symbols:
        tally, previous = SpreadTally(symbol), None
        for day in symbol_days(layout, symbol, window, tf, now):
            progress(f"{symbol} {day.day}")
            before = tally.wide
            tally.add(day.frame)
            facts = day.facts(wide_counts=False, previous_trade_id=previous)
            done.append(_one(project, day, facts, wide=tally.wide > before))
            previous = day.last_trade_id(previous)
        tallies.append(tally.result())
    quoted, wide = sum(one.quoted for one in tallies), sum(one.wide for one in tallies)
    if wide and wide >= rulepack.WIDE_SHARE * quoted:
        done = list(_again(project, layout, done, window, tf, now, progress))
    return done, tuple(tallies)


def _again(
    project: "Project",
    layout: Layout,
    done: list[_Done],
    window: Window,
    tf: Timeframe,
    now: datetime,
    progress: Progress,
) -> Iterator[_Done]:
    """The symbol-days, those with wide spreads validated again so that their wide rows are violations of R6.

    Whether they are is known only when the last symbol-day has been read; in a healthy lake there is nothing to repeat.
    """
    for one in done:
        part = Window.of_day(one.day.day).clip(window) if one.wide else None
        again = next(symbol_days(layout, one.day.symbol, part, tf, now), None) if part else None
        if again:
            progress(f"{again.symbol} {again.day}: wide spreads")
            yield _one(project, again, {**one.facts, "wide_counts": True}, wide=True)
        else:
            yield one


def _one(project: "Project", day: SymbolDay, facts: dict[str, Any], *, wide: bool) -> _Done:
    midnight = Window.of_day(day.day).start
    results = project.run(day.symbol, midnight, day.frame, facts)
    violations: dict[str, int] = {}
    for key, result in results.items():
        rule = rulepack.rule_id(key)
        violations[rule] = violations.get(rule, 0) + result["unexpected_count"]
    found = DayResult(
        symbol=day.symbol,
        day=day.day,
        rows=results["R5-rows"]["element_count"],
        expected=day.expected,
        missing=results["R5-windows"]["unexpected_count"],
        flat=day.count("trade_count", 0),
        complete=day.count("complete", True),
        violations=violations,
        page=project.page(day.symbol, midnight),
    )
    return _Done(found, facts, wide, results)


def _rule(rule: rulepack.Rule, done: list[_Done]) -> RuleResult:
    """Add a rule's results up; of windows and columns, those that should be there and are not count as checked."""
    checked = violations = failing = info = 0
    rows: list[dict[str, Any]] = []
    for one in done:
        for check in rule.checks:
            result = one.results[check.key]
            count = result["unexpected_count"]
            checked += result["element_count"] if check.counts == "row" else count
            violations += count
            failing += count if check.severity == "fail" else 0
            info += count if check.severity == "info" else 0
            rows += result["partial_unexpected_index_list"]
    return RuleResult(
        rule.id, rule.title, rule.severity, checked, violations, failing, tuple(rows[: rulepack.TOP]),
        info=info, why=rule.why, remedy=rule.remedy,
    )  # fmt: skip


def _checked(window: Window, tf: str, source: str) -> Window:
    if tf not in ("1s", "1m"):
        raise BadInputError(f"tf {tf!r}: expected 1s or 1m")
    if source != "bars":
        raise BadInputError(f"source {source!r}: expected bars (klines are not validated yet)")
    if tf == "1s":
        return window
    minutes = whole(window, tf)
    if minutes is None:
        raise BadInputError(f"{window}: no whole minute lies in it: give a longer window, or tf 1s")
    return minutes


def _report_name(symbols: tuple[str, ...], window: Window, tf: str, source: str) -> str:
    """A name that the parameters make, not the clock: the same validation again replaces its report."""
    who = "_".join(symbols)
    if len(symbols) > 3:
        who = f"{len(symbols)}symbols_{hashlib.sha256(who.encode()).hexdigest()[:8]}"
    return f"validation_{source}_{tf}_{who}_{window.start:%Y%m%dT%H%M%SZ}_{window.end:%Y%m%dT%H%M%SZ}"
