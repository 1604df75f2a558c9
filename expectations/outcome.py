"""What a validation found, as data: the verdict, the rules, the statistics; its symbol-days are `day_result`'s."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expectations.day_result import DayResult, verdict_of
from expectations.rule import Verdict
from lake.windows import Window, iso

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
        rows: the first offending rows (`limits.TOP`), by symbol and time, with the columns that show why.
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
class Spreads:
    """The spreads of one symbol, in basis points of the mid price. Quantiles are within 1 %."""

    symbol: str
    quoted: int
    negative: int
    wide: int
    quantiles: dict[str, float | None]


@dataclass(frozen=True)
class Outcome:
    """The result of a validation. Its counts are those of Great Expectations' results, and so of Data Docs.

    ``notes`` are what a reader must know beside them, ``doubts`` those of the notes that forbid a PASS;
    ``agreement`` has the last symbol-days of `lake.schemas.PARITY`.
    """

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
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    agreement: tuple[Row, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """FAIL when a fail-rule is violated or no row was checked, else INVESTIGATE when another is, else PASS.

        A doubt (`doubts`) makes of PASS an INVESTIGATE.
        """
        if self.rows == 0 or any(rule.failing for rule in self.rules):
            return "FAIL"
        odd = any(rule.violations > rule.info for rule in self.rules)
        return "INVESTIGATE" if odd or self.doubts else "PASS"

    def parity(self) -> dict[str, Any] | None:
        """Return the counts of all symbol-days that were compared with klines; None where the source is not bars."""
        found = [day.parity for day in self.days if day.parity]
        if self.source != "bars":
            return None
        reasons: Counter[str] = Counter()
        for one in found:
            reasons.update(one.reasons)
        return {
            "complete": sum(one.complete for one in found),
            "checked": sum(one.checked for one in found),
            "violations": sum(reasons.values()),
            "reasons": dict(reasons),
            "klines_missing": sum(one.not_there for one in found),
            "klines_off_grid": sum(one.off_grid for one in found),
        }

    def by_day(self) -> list[Row]:
        """Return a verdict a UTC day, over all symbols, newest first."""
        return [
            {
                "day": when.isoformat(),
                "verdict": verdict_of(these),
                "symbols": len({day.symbol for day in these}),
                "rows": sum(day.rows for day in these),
                "missing": sum(day.missing for day in these),
                "violations": sum(sum(day.violations.values()) for day in these),
            }
            for when in sorted({day.day for day in self.days}, reverse=True)
            if (these := [day for day in self.days if day.day == when])
        ]

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
            "days": [day.to_json() for day in self.days],
            "parity": self.parity(),
            "notes": list(self.notes),
            "report": str(self.report),
            "data_docs": str(self.data_docs),
        }
