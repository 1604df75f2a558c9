"""The Markdown report of a validation: deterministic, from an `Outcome` alone."""

import html
import math
import re
from pathlib import Path
from typing import Any

from expectations.outcome import DayResult, Outcome, RuleResult
from expectations.rulepack import TOP
from lake.windows import iso

_DAYS_LISTED = 400
_CELL = 80
_MARKUP = re.compile(r"([\\`*_\[\]{}|~#])")


def markdown(outcome: Outcome) -> str:
    """Return the report: metadata, summary, offending rows, statistics, assessment."""
    parts = [
        f"# Validation of {outcome.source} {outcome.tf}: {outcome.verdict}",
        _metadata(outcome),
        "## Validation Summary\n\n" + _summary(outcome),
        *(_offending(rule) for rule in outcome.rules if rule.violations),
        "## Detailed Statistics",
        _coverage(outcome),
        _spreads(outcome),
        _days(outcome),
        "## Overall Assessment\n\n" + _assessment(outcome),
    ]
    return "\n\n".join(parts) + "\n"


def table(head: list[str], rows: list[list[Any]], numbers: str = "") -> str:
    """Return a Markdown table; the columns named in ``numbers`` (indices as digits) are aligned right."""
    rule = ["---:" if str(index) in numbers.split() else "---" for index in range(len(head))]
    lines = [head, rule, *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: Any) -> str:
    """Return a value as a table's cell: integers in thousands, null said, and text that is markup made harmless."""
    if isinstance(value, Link):
        return value
    if value is None:
        return "null"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return repr(value)
    text = " ".join(str(value).split())
    text = text if len(text) <= _CELL else f"{text[:_CELL]}…"
    return _MARKUP.sub(r"\\\1", html.escape(text, quote=False))


class Link(str):
    """Markdown that is meant: a link of our own making."""

    __slots__ = ()

    @classmethod
    def to(cls, text: str, path: Path, report: Path) -> "Link":
        """Return a relative link from the report to a file."""
        from expectations.project import link

        return cls(f"[{cell(text)}]({link(path, report.parent)})")


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
    says = f"**Why it matters:** {rule.why}\n\n**What to do:** {rule.remedy}"
    count = (
        f"{rule.violations:,} violation{'' if rule.violations == 1 else 's'}; the first {TOP} offending rows at most."
    )
    groups: dict[tuple[str, ...], list[list[Any]]] = {}
    for row in rule.rows:
        groups.setdefault(tuple(row), []).append([_id(name, value) for name, value in row.items()])
    tables = [table([name.replace("_", " ") for name in head], rows) for head, rows in groups.items()]
    return "\n\n".join([f"### {rule.rule} {rule.title}", says, count, *tables])


def _id(name: str, value: Any) -> Any:
    return Link(value) if name.endswith("_id") and isinstance(value, int) else value


def _coverage(outcome: Outcome) -> str:
    rows = []
    for symbol in outcome.symbols:
        days = [day for day in outcome.days if day.symbol == symbol]
        expected, missing = sum(day.expected for day in days), sum(day.missing for day in days)
        held = expected - missing
        share = Link(f"{math.floor(1e4 * 100 * held / expected) / 1e4:.4f} %" if expected else "–")
        counts = [sum(getattr(day, name) for day in days) for name in ("rows", "flat", "complete")]
        rows.append([symbol, expected, held, missing, share, *counts])
    head = ["Symbol", "Windows expected", "Held", "Missing", "Held %", "Rows", "Flat rows", "Complete rows"]
    return "### Coverage\n\n" + table(head, rows, "1 2 3 4 5 6 7")


def _spreads(outcome: Outcome) -> str:
    rows = [
        [
            one.symbol,
            one.quoted,
            *(Link("–" if value is None else f"{value:.4g}") for value in one.quantiles.values()),
            one.wide,
            Link(f"{100 * one.wide / one.quoted:.4f} %" if one.quoted else "–"),
            one.negative,
        ]
        for one in outcome.spreads
    ]
    quantiles = list(outcome.spreads[0].quantiles) if outcome.spreads else []
    head = ["Symbol", "Rows with quotes", *quantiles, "≥ 5 % of mid", "Share of them", "Negative"]
    says = "Spread in basis points of the mid price, where it is not negative; quantiles are within 1 %."
    return f"### Spread outliers\n\n{says}\n\n" + table(head, rows, "1 2 3 4 5 6 7 8")


def _days(outcome: Outcome) -> str:
    days = outcome.days
    says = ""
    if len(days) > _DAYS_LISTED:
        days = tuple(day for day in days if any(day.violations.values()))
        says = f"{len(outcome.days):,} in all; these {len(days):,} have violations.\n\n"
    ids = [rule.rule for rule in outcome.rules]
    rows = [_day(day, ids, outcome.report) for day in days]
    head = ["Symbol", "Day", "Rows", "Missing", *ids]
    return f"### Symbol-days\n\n{says}" + table(head, rows, " ".join(str(index) for index in range(2, len(head))))


def _day(day: DayResult, ids: list[str], report: Path) -> list[Any]:
    return [
        day.symbol,
        Link.to(day.day.isoformat(), day.page, report),
        day.rows,
        day.missing,
        *(day.violations.get(rule, 0) for rule in ids),
    ]


def _assessment(outcome: Outcome) -> str:
    failed = [rule.rule for rule in outcome.rules if rule.failing]
    odd = [rule.rule for rule in outcome.rules if rule.violations > rule.failing + rule.info]
    reasons = []
    if not outcome.rows:
        reasons.append("No row was checked: there are no bars of these symbols in this window.")
    if failed:
        reasons.append(f"Violated, and the bars must not be used as they are: {', '.join(failed)}.")
    if odd:
        reasons.append(f"Violated, and to be looked into: {', '.join(odd)}.")
    return f"**{outcome.verdict}**\n\n" + ("\n".join(f"- {reason}" for reason in reasons) or "- Every rule holds.")
