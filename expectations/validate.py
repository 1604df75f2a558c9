"""Validating a source: every rule on every symbol-day of a window, Data Docs, the Markdown report, the verdict."""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from expectations import rulepack
from expectations.limits import TOP
from expectations.outcome import Outcome, RuleResult, Spreads
from expectations.report_file import refuse
from expectations.rule import Rule
from expectations.run import Done, Progress, Run
from expectations.tables import STEP_US, Table, checked_names, of_source
from lake import locks
from lake.errors import BadInputError, LakeError
from lake.files import write_text
from lake.intervals import Interval, starts_in
from lake.layout import Layout
from lake.windows import Window, iso, moment


def validate(
    layout: Layout,
    symbols: Iterable[str],
    window: Window,
    tf: Interval | None = None,
    source: str = "bars",
    *,
    now: datetime,
    report: Path | None = None,
    progress: Progress | None = None,
    notes: Iterable[str] = (),
    doubts: Iterable[str] = (),
    keep_runs: int = 90,
) -> Outcome:
    """Check every rule of the rulepack on a source, of symbols in a window; write Data Docs and the Markdown report.

    Memory holds one symbol-day at a time. The same validation twice leaves the same report and pages.

    Args:
        layout: the lake.
        symbols: which pairs or contracts; of macro, which tickers.
        window: the range in which the rows' windows begin; of the last one all is checked, what lies after its end too.
        tf: ``1s`` or ``1m`` for bars and klines. By default seconds of bars, minutes of klines, and of macro and
            derivatives what they have.
        source: ``bars``, ``klines``, ``macro`` or ``derivatives``.
        now: the present. A window that has not ended by then is not missed.
        report: where the Markdown report goes; by default below ``reports/``, named by the parameters.
        progress: is told, in words, each symbol-day that begins.
        notes: what a reader of the report must know beside what is found, such as what could not be fetched.
        doubts: notes that forbid a PASS, such as what should have been checked and is not there.
        keep_runs: of how many runs of this suite pages and results stay (`validation.keep_runs`).

    Raises:
        BadInputError: the source, timeframe or a symbol is invalid, no window begins in the range, or the report must
            not be written there.
        LakeError: a file cannot be read, the reports cannot be written, or an expectation cannot be evaluated. That is
            never a pass.
    """
    tables = of_source(source, tf)
    chosen = checked_names(source, list(symbols))
    window = _begun(window, tables)
    lengths = "-".join(length for _, length in tables)
    report = report or layout.reports / f"{_report_name(chosen, window, lengths, source)}.md"
    refuse(layout, report)
    with locks.validation(layout), _written(layout), redirect_stdout(sys.stderr):  # own code prints: that is no JSON
        told = progress or (lambda _: None)
        done, spreads, rules, index, found = _run(layout, tables, chosen, window, now, told, keep_runs)
        doubts = [*doubts, *found]
        agreement, more = _agreement(layout, source, chosen, window, now, done)
        outcome = Outcome(
            symbols=chosen,
            window=window,
            tf=lengths,
            source=source,
            clipped_to=iso(now) if now < window.end else None,
            rows=sum(one.day.rows for one in done),
            rules=tuple(_rule(rule, done) for rule in rules),
            days=tuple(one.day for one in done),
            spreads=spreads,
            report=report,
            data_docs=index,
            notes=(*doubts, *more, *_never_existed(done), *_start_again(done), *notes),
            doubts=tuple(doubts),
            agreement=agreement,
        )
        from expectations.report import markdown

        write_text(report, markdown(outcome))
    return outcome


@contextmanager
def _written(layout: Layout) -> Iterator[None]:
    """Raise in one line that results or pages cannot be written: there is no verdict then."""
    try:
        yield
    except OSError as error:
        place = error.filename or layout.reports
        why = error.strerror or error
        raise LakeError(
            f"{place}: cannot be read or written ({why}): check the folder and disk; there is no verdict"
        ) from error


def _run(
    layout: Layout,
    tables: list[tuple[Table, Interval]],
    symbols: tuple[str, ...],
    window: Window,
    now: datetime,
    progress: Progress,
    keep_runs: int,
) -> tuple[list[Done], tuple[Spreads, ...], list[Rule], Path, tuple[str, ...]]:
    """Validate each table; return what was found, the rules in order, the path of the pages' index, and doubts."""
    from expectations.project import Project  # Great Expectations: seconds to import

    done: list[Done] = []
    spreads: tuple[Spreads, ...] = ()
    rules: dict[str, Rule] = {}
    doubts: dict[str, None] = {}
    for of, tf in tables:
        project = Project(layout, of.name, tf, window, symbols)
        found, quotes = Run(project, layout, of, window, tf, now, progress).all(symbols)
        doubts |= dict.fromkeys(project.doubts)
        done, spreads, index = done + found, spreads + quotes, project.finish(keep_runs)
        for rule in project.rules:  # of one that two tables have, the checks of both
            known = rules.get(rule.id, rule)
            rules[rule.id] = replace(rule, checks=tuple(dict.fromkeys((*known.checks, *rule.checks))))
    packed = [rules.pop(rule.id) for rule in rulepack.RULES if rule.id in rules]
    return done, spreads, [*packed, *rules.values()], index, tuple(doubts)


def _agreement(
    layout: Layout, source: str, symbols: tuple[str, ...], window: Window, now: datetime, done: list[Done]
) -> tuple[tuple[dict[str, Any], ...], list[str]]:  # fmt: skip
    """Keep how much agrees with the klines; return the last days of it, and notes."""
    if source != "bars" or now <= window.start:
        return (), []
    from expectations import agreement

    seen = Window(window.start, min(window.end, now))
    rows, notes = agreement.keep(layout, (one.day for one in done), seen)
    *_, last = seen.days()
    return agreement.recent(rows, symbols, last), notes


def _never_existed(done: list[Done]) -> list[str]:
    """Say how many trade ids R8 leaves out, of which symbols."""
    counts: dict[str, int] = {}
    for one in done:
        counts[one.day.symbol] = counts.get(one.day.symbol, 0) + one.day.never_existed
    return [
        f"R8 does not count {count:,} trade ids of {symbol} that never existed: the official klines show it"
        for symbol, count in counts.items()
        if count
    ]


def _start_again(done: list[Done]) -> list[str]:
    """Say where the trade ids of a symbol start again."""
    return [
        f"R8 does not compare across {iso(moment(at))}, where the trade ids of {one.day.symbol} start again"
        for one in done
        for at in one.facts.get("numberings", ())
    ]


def _rule(rule: Rule, done: list[Done]) -> RuleResult:
    """Add a rule's results up; of windows and columns, those that should be there and are not count as checked."""
    checked = violations = failing = info = 0
    rows: list[dict[str, Any]] = []
    for one in done:
        for check in rule.checks:
            result = one.results.get(check.key)
            if result is None:  # a check of another table
                continue
            count = result["unexpected_count"]
            checked += result["element_count"] if check.counts == "row" else count
            violations += count
            failing += count if check.severity == "fail" else 0
            info += count if check.severity == "info" else 0
            rows += result["partial_unexpected_index_list"]
    return RuleResult(
        rule.id, rule.title, rule.severity, checked, violations, failing, tuple(rows[: TOP]),
        info=info, why=rule.why, remedy=rule.remedy,
    )  # fmt: skip


def _begun(window: Window, tables: list[tuple[Table, Interval]]) -> Window:
    """The whole stretch of the windows that begin in a range; of two tables, of the one with the shorter windows."""
    tf = min((length for _, length in tables), key=STEP_US.__getitem__)
    if (found := starts_in(window, tf)) is None:
        raise BadInputError(f"{window}: no window of {tf} begins in it: give a longer range")
    return found


def _report_name(symbols: tuple[str, ...], window: Window, tf: str, source: str) -> str:
    """A name that the parameters make, not the clock: the same validation again replaces its report."""
    who = "_".join(symbols)
    if len(symbols) > 3:
        who = f"{len(symbols)}symbols_{hashlib.sha256(who.encode()).hexdigest()[:8]}"
    return f"validation_{source}_{tf}_{who}_{window.start:%Y%m%dT%H%M%SZ}_{window.end:%Y%m%dT%H%M%SZ}"
