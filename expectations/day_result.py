"""What a validation found of one symbol-day, as data, and the verdict on some of them."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from expectations.rule import Verdict

Row = dict[str, Any]


@dataclass(frozen=True)
class Parity:
    """Our minutes of a symbol-day beside the official klines.

    Attributes:
        complete: our complete minutes in the validated part of the day.
        checked: how many of those have a kline of the same minute.
        off_grid: how many of those have a kline that opens off the grid, and is not compared.
        reasons: those of them that differ, counted by why (`expectations.reasons`).
        rows: the first of them, ready for JSON.
        largest: of complete minutes, the largest relative difference of a volume; None where none was compared.
        both: minutes that both have, complete or not; ``our_`` and ``kline_`` trades and base volume are their sums.
    """

    complete: int
    checked: int = 0
    off_grid: int = 0
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
        return self.complete - self.checked - self.off_grid

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
            "klines_off_grid": self.off_grid,
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
        never_existed: of bars, missing trade ids that R8 does not count, because they never existed.
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
    never_existed: int = 0

    @property
    def verdict(self) -> Verdict:
        """The verdict of this symbol-day alone."""
        return verdict_of([self])

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
            **({"never_existed": self.never_existed} if self.table == "bars" else {}),
            **({"parity": self.parity.to_json()} if self.parity else {}),
        }


def verdict_of(days: list[DayResult]) -> Verdict:
    """Return the verdict on some symbol-days, by the rules of `expectations.outcome.Outcome.verdict`."""
    if not any(day.rows for day in days) or any(day.failing for day in days):
        return "FAIL"
    return "INVESTIGATE" if any(sum(day.violations.values()) > day.info for day in days) else "PASS"
