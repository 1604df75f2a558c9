"""The Markdown report of a validation: deterministic, from an `Outcome` alone."""

from pathlib import Path
from typing import Any

from expectations import statistics
from expectations.day_result import DayResult
from expectations.limits import TOP
from expectations.markdown import Link, cell, table
from expectations.outcome import Outcome, RuleResult
from expectations.report_file import HEADING
from lake.windows import iso

_DAYS_LISTED = 400


def markdown(outcome: Outcome) -> str:
    """Return the report: metadata, summary, offending rows, statistics, assessment."""
    is_bars = outcome.source == "bars"
    parts = [
        f"{HEADING}{outcome.source} {outcome.tf}: {outcome.verdict}",
        _metadata(outcome),
        "## Validation Summary\n\n" + _summary(outcome),
        *(_offending(rule) for rule in outcome.rules if rule.violations),
        "## Detailed Statistics",
        statistics.coverage(outcome),
        *([statistics.parity(outcome), statistics.agreement(outcome), statistics.spreads(outcome)] if is_bars else []),
        _days(outcome),
        "## Overall Assessment\n\n" + _assessment(outcome),
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(outcome: Outcome) -> str:
    rows: list[list[Any]] = [
        ["Symbols", Link(", ".join(outcome.symbols))],
        ["Start", iso(outcome.window.start)],
        ["End", iso(outcome.window.end)],
        ["Clipped to the present", outcome.clipped_to or "no: the window has ended"],
        ["Timeframe", outcome.tf],
        ["Source", outcome.source],
        ["Symbol-days", len(outcome.days)],
        ["Rows", outcome.rows],
        ["Data Docs", Link.to("all pages", outcome.data_docs, outcome.report)],
    ]
    return "## Run Metadata\n\n" + table(["", ""], rows)


def _summary(outcome: Outcome) -> str:
    rows = [
        [rule.rule, f"{rule.title} ({rule.severity})", rule.checked, rule.violations, Link(percent(rule))]
        for rule in outcome.rules
    ]
    return table(["Rule", "Description", "Total Checked", "Violations", "% Violated"], rows, "2 3 4")


def percent(rule: RuleResult) -> str:
    """Return the share of violations; one that is there never reads as nought."""
    if rule.violations and rule.percent < 0.0001:
        return "< 0.0001 %"
    return f"{rule.percent:.4f} %"


def _offending(rule: RuleResult) -> str:
    title, why, remedy = (cell(words, limit=None) for words in (rule.title, rule.why, rule.remedy))
    says = f"**Why it matters:** {why}\n\n**What to do:** {remedy}"
    count = (
        f"{rule.violations:,} violation{'' if rule.violations == 1 else 's'}; the first {TOP} offending rows at most."
    )
    groups: dict[tuple[str, ...], list[list[Any]]] = {}
    for row in rule.rows:
        groups.setdefault(tuple(row), []).append([_id(name, value) for name, value in row.items()])
    tables = [table([name.replace("_", " ") for name in head], rows) for head, rows in groups.items()]
    return "\n\n".join([f"### {rule.rule} {title}", says, count, *tables])


def _id(name: str, value: Any) -> Any:
    return Link(value) if name.endswith("_id") and isinstance(value, int) else value


def _days(outcome: Outcome) -> str:
    days = outcome.days
    says = ""
    if len(days) > _DAYS_LISTED:
        days = tuple(day for day in days if any(day.violations.values()))
        says = f"{len(outcome.days):,} in all; these {len(days):,} have violations.\n\n"
    ids = [rule.rule for rule in outcome.rules]
    rows = [_day(day, ids, outcome.report) for day in days]
    head = ["Symbol", "Day", "Table", "Verdict", "Rows", "Missing", *ids]
    return f"### Symbol-days\n\n{says}" + table(head, rows, " ".join(str(index) for index in range(4, len(head))))


def _day(day: DayResult, ids: list[str], report: Path) -> list[Any]:
    return [
        day.symbol,
        Link.to(day.day.isoformat(), day.page, report),
        day.table,
        day.verdict,
        day.rows,
        day.missing,
        *(day.violations.get(rule, Link("–")) for rule in ids),
    ]


def _assessment(outcome: Outcome) -> str:
    failed = [rule.rule for rule in outcome.rules if rule.failing]
    odd = [rule.rule for rule in outcome.rules if rule.violations > rule.failing + rule.info]
    reasons = []
    if not outcome.rows:
        reasons.append("No row was checked: there are no rows of these symbols in this window.")
    if failed:
        reasons.append(f"Violated, and the rows must not be used as they are: {', '.join(failed)}.")
    if odd:
        reasons.append(f"Violated, and to be looked into: {', '.join(odd)}.")
    if not reasons:
        reasons.append("Every rule holds.")
    if outcome.source == "bars" and outcome.rows and not any(r.checked for r in outcome.rules if r.rule == "R7"):
        reasons.append("R7 had nothing to compare: no complete minute has an official kline.")
    reasons += [f"{note[:1].upper()}{note[1:]}." for note in outcome.notes]
    return f"**{outcome.verdict}**\n\n" + "\n".join(f"- {cell(reason, limit=None)}" for reason in reasons)
