"""A rule as data, the checks it is made of, and the verdict that its violations make."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fail", "investigate", "info"]
Unit = Literal["row", "column", "window"]
Verdict = Literal["PASS", "INVESTIGATE", "FAIL"]


@dataclass(frozen=True)
class Check:
    """One thing that is counted: one expectation of a suite.

    Attributes:
        key: its name in suites and results, such as ``R5-windows``; the rule's id comes before the dash.
        says: what is expected, in words.
        severity: what a violation makes of the verdict.
        counts: what one violation is.
        function: the function in `expectations.checks` that finds the violations.
        columns: the columns it reads, which are shown of each offending row beside symbol and window_start; of rows
            that the function makes itself, the order of theirs.
        facts: what it has to be told of the symbol-day, by name (`expectations.days.SymbolDay.facts`).
        sources: the tables of its rule that it applies to; none named, all of them.
    """

    key: str
    says: str
    severity: Severity
    counts: Unit
    function: str
    columns: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The id of the rule that this check belongs to."""
        return self.key.partition("-")[0]


@dataclass(frozen=True)
class Rule:
    """One rule: its id, what it promises, why that matters, what to do when it is broken, and what is counted."""

    id: str
    title: str
    why: str
    remedy: str
    checks: tuple[Check, ...]
    sources: tuple[str, ...] = ("bars",)

    @property
    def severity(self) -> str:
        """``fail``, ``investigate``, or ``fail / investigate`` where its checks differ."""
        return " / ".join(dict.fromkeys(check.severity for check in self.checks))


def rule_id(key: str) -> str:
    """Return the id of the rule that a check's key belongs to."""
    return key.partition("-")[0]


def state_of(violated: list[str], *, rows: int) -> Verdict:
    """Return the verdict of the severities that were violated, on so many rows."""
    if "fail" in violated or not rows:
        return "FAIL"
    return "INVESTIGATE" if "investigate" in violated else "PASS"
