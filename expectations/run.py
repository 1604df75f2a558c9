"""One table validated: every rule on every symbol-day of a window, one in memory at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from expectations import edges
from expectations.day_result import DayResult, Parity
from expectations.days import SymbolDay, symbol_days
from expectations.limits import WIDE_SHARE
from expectations.outcome import Spreads
from expectations.tables import Table
from lake import gaps
from lake.layout import Layout
from lake.windows import Window

if TYPE_CHECKING:
    from expectations.project import Project

Progress = Callable[[str], None]
Results = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Done:
    """One symbol-day that was validated: what it was told, and Great Expectations' results by check key."""

    day: DayResult
    facts: dict[str, Any]
    wide: bool
    results: Results


@dataclass(frozen=True)
class Run:
    """A table, a window, and the project that keeps the results."""

    project: "Project"
    layout: Layout
    of: Table
    window: Window
    tf: str
    now: datetime
    progress: Progress

    def all(self, symbols: tuple[str, ...]) -> tuple[list[Done], tuple[Spreads, ...]]:
        """Validate each symbol-day; those with wide spreads once more, if there are so many that they count."""
        from expectations.spreads import SpreadTally

        done: list[Done] = []
        tallies: list[Spreads] = []
        for symbol in symbols:
            is_bars = self.of.name == "bars"
            tally = SpreadTally(symbol)
            previous = edges.trade_id_before(self.layout, symbol, self.window.start) if is_bars else None
            for day in symbol_days(self.layout, self.of, symbol, self.window, self.tf, self.now):
                self.progress(f"{symbol} {day.day}")
                before = tally.wide
                if is_bars:
                    tally.add(day.frame)
                done.append(self._first(day, previous, lambda tally=tally, before=before: tally.wide > before))
                previous = day.last_trade_id(previous)
            tallies.append(tally.result())
        if self.of.name != "bars":
            return done, ()
        quoted, wide = sum(one.quoted for one in tallies), sum(one.wide for one in tallies)
        if wide and wide >= WIDE_SHARE * quoted:
            done = list(self._again(done))
        return done, tuple(tallies)

    def _first(self, day: SymbolDay, previous: int | None, is_wide: Callable[[], bool]) -> Done:
        is_bars = self.of.name == "bars"
        never = gaps.never_existed(self.layout, day.symbol, Window.of_day(day.day)) if is_bars else []
        starts = gaps.starts(self.layout, day.symbol, day.window) if is_bars else []
        known = gaps.Known([(gap.first_id, gap.last_id, gap.to_us) for gap in never], starts)
        facts = day.facts(wide_counts=False, previous_trade_id=previous, known=known)
        parity = None
        if is_bars:
            from expectations import parity as compare

            parity = compare.of_day(self.layout, day, previous, known)
            facts["parity"] = parity.fact()
        count = sum(gap.count for gap in never if day.window.start_us <= gap.to_us < day.window.end_us)
        return self._one(day, facts, parity, wide=is_wide(), never_existed=count)

    def _again(self, done: list[Done]) -> Iterator[Done]:
        """The symbol-days, those with wide spreads validated again so that their wide rows are violations of R6.

        Whether they are is known only when the last symbol-day has been read; in a healthy lake nothing is repeated.
        """
        for one in done:
            part = Window.of_day(one.day.day).clip(self.window) if one.wide else None
            days = symbol_days(self.layout, self.of, one.day.symbol, part, self.tf, self.now) if part else iter(())
            again = next(days, None)
            if again:
                self.progress(f"{again.symbol} {again.day}: wide spreads")
                facts = {**one.facts, "wide_counts": True}
                yield self._one(again, facts, one.day.parity, wide=True, never_existed=one.day.never_existed)
            else:
                yield one

    def _one(
        self, day: SymbolDay, facts: dict[str, Any], parity: Parity | None, *, wide: bool, never_existed: int
    ) -> Done:  # fmt: skip
        midnight = Window.of_day(day.day).start
        results = self.project.run(day.symbol, midnight, day.frame, facts)
        violations: dict[str, int] = {}
        failing = info = 0
        for key, result in results.items():
            check = self.project.check(key)
            violations[check.rule] = violations.get(check.rule, 0) + result["unexpected_count"]
            failing += result["unexpected_count"] if check.severity == "fail" else 0
            info += result["unexpected_count"] if check.severity == "info" else 0
        windows = next(results[key] for key in ("R5-windows", "D1-known") if key in results)
        found = DayResult(
            table=self.of.name,
            symbol=day.symbol,
            day=day.day,
            rows=results["R5-rows"]["element_count"],
            expected=windows["element_count"],
            missing=windows["unexpected_count"],
            absent=day.absent,
            flat=day.count(self.of.flat, 0) if self.of.flat else 0,
            complete=day.count("complete", True) if self.of.name == "bars" else 0,
            violations=violations,
            failing=failing,
            hours=day.hours(),
            parity=parity,
            page=self.project.page(day.symbol, midnight),
            info=info,
            never_existed=never_existed,
        )
        return Done(found, facts, wide, results)
