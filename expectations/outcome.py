"""What a validation found, as data: the verdict, the rules, the symbol-days, the statistics."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from lake.windows import Window, iso

Verdict = Literal["PASS", "INVESTIGATE", "FAIL"]
Row = dict[str, Any]


@dataclass(frozen=True)
class RuleResult:
    """What came of one rule over the whole validation.

    Attributes:
        rule: its id.
        title: what it promises.
        severity: of its checks.
        checked: the rows it applies to, and the windows or columns that should be there and are not.
        violations: how many of those violate it.
        failing: how many of the violations make the verdict FAIL; the others make it INVESTIGATE.
        rows: the first offending rows (`rulepack.TOP`), by symbol and time, with the columns that show why.
        info: how many of them are only told, and leave the verdict alone.
        why: why it matters.
        remedy: what to do when it is violated.
    """

    rule: str
    title: str
    severity: str
    checked: int
    violations: int
    failing: int
    rows: tuple[Row, ...]
    info: int = 0
    why: str = ""
    remedy: str = ""

    @property
    def percent(self) -> float:
        """The violations as a percentage of what was checked; 0 where nothing was."""
        return 100 * self.violations / self.checked if self.checked else 0.0


@dataclass(frozen=True)
class DayResult:
    """What came of one symbol-day. ``flat`` rows have no trades; ``missing`` windows have no row."""

    symbol: str
    day: date
    rows: int
    expected: int
    missing: int
    flat: int
    complete: int
    violations: dict[str, int]
    page: Path


@dataclass(frozen=True)
class Spreads:
    """The spreads of one symbol, in basis points of the mid price. Quantiles are within 1 %."""

    symbol: str
    quoted: int
    negative: int
    wide: int
    quantiles: dict[str, float | None]


@dataclass(frozen=True)
class Outcome:
    """The result of a validation. Its counts are those of Great Expectations' results, and so of Data Docs."""

    symbols: tuple[str, ...]
    window: Window
    tf: str
    source: str
    clipped_to: str | None
    rows: int
    rules: tuple[RuleResult, ...]
    days: tuple[DayResult, ...]
    spreads: tuple[Spreads, ...]
    report: Path
    data_docs: Path

    @property
    def verdict(self) -> Verdict:
        """FAIL when a fail-rule is violated or no row was checked, else INVESTIGATE when another is, else PASS."""
        if self.rows == 0 or any(rule.failing for rule in self.rules):
            return "FAIL"
        return "INVESTIGATE" if any(rule.violations > rule.info for rule in self.rules) else "PASS"

    def to_json(self) -> dict[str, Any]:
        """Return what `validate-rules --json` prints."""
        return {
            "verdict": self.verdict,
            "rules": [
                {
                    "rule": rule.rule,
                    "title": rule.title,
                    "severity": rule.severity,
                    "checked": rule.checked,
                    "violations": rule.violations,
                    "percent": rule.percent,
                    "rows": list(rule.rows),
                }
                for rule in self.rules
            ],
            "symbols": list(self.symbols),
            "start": iso(self.window.start),
            "end": iso(self.window.end),
            "tf": self.tf,
            "source": self.source,
            "rows": self.rows,
            "days": [
                {
                    "symbol": day.symbol,
                    "day": day.day.isoformat(),
                    "rows": day.rows,
                    "expected": day.expected,
                    "missing": day.missing,
                    "flat": day.flat,
                    "complete": day.complete,
                    "violations": day.violations,
                }
                for day in self.days
            ],
            "report": str(self.report),
            "data_docs": str(self.data_docs),
        }
