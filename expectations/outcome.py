"""What a validation found, as data: the verdict, the rules, the symbol-days, the statistics."""

from collections import Counter
from dataclasses import dataclass, field
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
class Parity:
    """Our minutes of a symbol-day beside the official klines.

    Attributes:
        complete: our complete minutes in the validated part of the day.
        checked: how many of those have a kline.
        reasons: those of them that differ, counted by why (`expectations.parity`).
        rows: the first of them, ready for JSON.
        largest: of complete minutes, the largest relative difference of a volume; None where none was compared.
        both: minutes that both have, complete or not; ``our_`` and ``kline_`` trades and base volume are their sums.
    """

    complete: int
    checked: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    largest: float | None = None
    both: int = 0
    our_trades: int = 0
    kline_trades: int = 0
    our_volume: float = 0.0
    kline_volume: float = 0.0

    @property
    def violations(self) -> int:
        """How many complete minutes differ from their kline."""
        return sum(self.reasons.values())

    @property
    def not_there(self) -> int:
        """How many complete minutes have no kline."""
        return self.complete - self.checked

    def fact(self) -> dict[str, Any]:
        """What the check of R7 is told."""
        return {"checked": self.checked, "violations": self.violations, "rows": list(self.rows)}

    def to_json(self) -> dict[str, Any]:
        """Return the counts."""
        return {
            "complete": self.complete,
            "checked": self.checked,
            "violations": self.violations,
            "reasons": self.reasons,
            "klines_missing": self.not_there,
            "largest_volume_difference": self.largest,
        }


@dataclass(frozen=True)
class DayResult:
    """What came of one symbol-day of one table.

    Attributes:
        table: the table.
        symbol: the pair, contract or ticker.
        day: the UTC day.
        rows: that are there.
        expected: windows that must be there.
        missing: of these, how many are not.
        absent: windows of which the exchange is known to have nothing.
        flat: rows without trades.
        complete: rows that are proved complete.
        violations: by rule.
        failing: of these, those that make the verdict FAIL.
        hours: the share of each hour's windows that is there; None where none must be.
        parity: of bars, how they compare with the klines.
        page: the Data Docs page.
        info: of the violations, those that leave the verdict alone.
    """

    table: str
    symbol: str
    day: date
    rows: int
    expected: int
    missing: int
    absent: int
    flat: int
    complete: int
    violations: dict[str, int]
    failing: int
    hours: tuple[float | None, ...]
    parity: Parity | None
    page: Path
    info: int = 0

    @property
    def verdict(self) -> Verdict:
        """The verdict of this symbol-day alone."""
        return _verdict([self])

    def to_json(self) -> dict[str, Any]:
        """Return what `validate-rules --json` prints of it."""
        return {
            "source": self.table,
            "symbol": self.symbol,
            "day": self.day.isoformat(),
            "verdict": self.verdict,
            "rows": self.rows,
            "expected": self.expected,
            "missing": self.missing,
            "absent": self.absent,
            "flat": self.flat,
            "complete": self.complete,
            "violations": self.violations,
            **({"parity": self.parity.to_json()} if self.parity else {}),
        }


def _verdict(days: list[DayResult]) -> Verdict:
    """The verdict of some symbol-days, by the rules of `Outcome.verdict`."""
    if not any(day.rows for day in days) or any(day.failing for day in days):
        return "FAIL"
    return "INVESTIGATE" if any(sum(day.violations.values()) > day.info for day in days) else "PASS"


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
        }

    def by_day(self) -> list[Row]:
        """Return a verdict a UTC day, over all symbols, newest first."""
        return [
            {
                "day": when.isoformat(),
                "verdict": _verdict(these),
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
