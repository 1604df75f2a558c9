"""The rules, in one place: what holds, why it matters, how severe it is, what to do when it does not.

Everything that names a rule (suites, Data Docs, the report, the JSON) takes its words from here. A rule is one or more
checks; the function that a check names is in `expectations.checks`. R7 (parity with the official klines) comes with
the klines: another `Check` here, another function there.
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fail", "investigate", "info"]
Unit = Literal["row", "column", "window"]

TOP = 25
"""How many offending rows are kept of each check and shown of each rule."""

WIDE_PART_OF_MID = 0.05
"""A spread of this part of the mid price, or more, is wide."""

WIDE_SHARE = 0.001
"""Wide spreads count as violations from this share of the rows that have quotes."""


@dataclass(frozen=True)
class Check:
    """One thing that is counted: one expectation of a suite.

    Attributes:
        key: its name in suites and results, such as ``R5-windows``; the rule's id comes before the dash.
        says: what is expected, in words.
        severity: what a violation makes of the verdict.
        counts: what one violation is.
        function: the function in `expectations.checks` that finds the violations.
        columns: the columns it reads, which are shown of each offending row beside symbol and window_start.
        facts: what it has to be told of the symbol-day, by name (`expectations.days.SymbolDay.facts`).
    """

    key: str
    says: str
    severity: Severity
    counts: Unit
    function: str
    columns: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

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


_PRICES = ("open", "high", "low", "close")

RULES: tuple[Rule, ...] = (
    Rule(
        "R0",
        "The table is what it says it is",
        "A column that is missing or of another type, or a row of another symbol, makes every other number doubtful.",
        "Transform the day again from raw; look for another program that writes into parquet/.",
        (
            Check(
                "R0-columns",
                "every column is there with its type",
                "fail",
                "column",
                "columns",
                facts=("found", "files"),
            ),
            Check("R0-rows", "no other symbol's rows", "fail", "row", "own_symbol", facts=("symbol",)),
        ),
    ),
    Rule(
        "R1",
        "High and low enclose open and close",
        "low ≤ open, close ≤ high. A bar that breaks it was not made of trades. Prices that are null or NaN are R4's.",
        "Transform the hour again from raw, then look at its trades.",
        (Check("R1", "low ≤ open, close ≤ high", "fail", "row", "enclosed", _PRICES),),
    ),
    Rule(
        "R2",
        "Prices are positive",
        "Nothing trades at zero, below, or at infinity. Prices that are null or NaN are R4's.",
        "Look at the raw lines of the second: the exchange's text, or its parsing, is wrong.",
        (Check("R2", "open, high, low, close > 0 and finite", "fail", "row", "positive", _PRICES),),
    ),
    Rule(
        "R3",
        "The book is not crossed",
        "ask ≥ bid where both are there. A crossed quote is two quotes mixed up, and spreads made of it are wrong.",
        "Look at the bookTicker lines of the second in raw.",
        (Check("R3", "ask ≥ bid where both are there", "fail", "row", "uncrossed", ("bid", "ask")),),
    ),
    Rule(
        "R4",
        "Every bar has its prices",
        "A null or NaN in open, high, low or close turns into a hole, or a zero, in whatever is computed from it.",
        "Transform the hour again from raw; a second without a known price must be missing, not null.",
        (Check("R4", "no null or NaN in open, high, low, close", "fail", "row", "priced", _PRICES),),
    ),
    Rule(
        "R5",
        "Timestamps run on without a hole",
        "A duplicate counts a second twice, a timestamp off the grid or in another day's file is found by no join, and "
        "a missing window is time of which nothing is known.",
        "Duplicates, off the grid: transform the day again. Missing: recover the trades (backfill), transform again.",
        (
            Check(
                "R5-rows",
                "on the grid of the timeframe and in its day's file, no duplicates",
                "fail",
                "row",
                "on_grid",
                facts=("timeframe", "day"),
            ),
            Check(
                "R5-windows",
                "no missing window between start and end, clipped to the present",
                "investigate",
                "window",
                "no_hole",
                facts=("symbol", "timeframe", "start", "end"),
            ),
        ),
    ),
    Rule(
        "R6",
        "Spreads are plausible",
        "spread ≥ 0; and spread < 5 % of mid for more than 99.9 % of the rows that have quotes, in the whole "
        "validation. Wide spreads are counted only when they are 0.1 % or more: a few happen, many mean a bad feed.",
        "Compare bid and ask with the trades of the same seconds; look for a halt or a listing.",
        (
            Check(
                "R6",
                "spread ≥ 0; < 5 % of mid for more than 99.9 % of the rows with quotes",
                "investigate",
                "row",
                "plausible_spread",
                ("bid", "ask", "spread"),
                ("wide_counts",),
            ),
        ),
    ),
    Rule(
        "R8",
        "Trade ids run on from bar to bar",
        "The exchange numbers a symbol's trades one by one: first_trade_id is the last_trade_id of the traded bar "
        "before it, plus 1, across midnight too. A jump is the proof that trades are missing.",
        "Backfill the trades whose ids are named, then transform the hour again.",
        (
            Check(
                "R8",
                "first_trade_id = last_trade_id of the traded bar before + 1",
                "investigate",
                "row",
                "consecutive_ids",
                ("first_trade_id", "last_trade_id"),
                ("symbol", "previous_trade_id"),
            ),
        ),
    ),
)


def rules(source: str) -> tuple[Rule, ...]:
    """Return the rules that apply to a source (``bars``), in order."""
    return tuple(rule for rule in RULES if source in rule.sources)


def checks(source: str) -> tuple[Check, ...]:
    """Return the checks of every rule that applies to a source, in order."""
    return tuple(check for rule in rules(source) for check in rule.checks)


def rule(rule_id: str) -> Rule:
    """Return the rule with this id."""
    return next(rule for rule in RULES if rule.id == rule_id)


def check(key: str) -> Check:
    """Return the check with this key."""
    return next(check for rule in RULES for check in rule.checks if check.key == key)


def rule_id(key: str) -> str:
    """Return the id of the rule that a check's key belongs to."""
    return key.partition("-")[0]


def state(violated: list[str], *, rows: int) -> Literal["PASS", "INVESTIGATE", "FAIL"]:
    """Return the verdict of the severities that were violated, on so many rows."""
    if "fail" in violated or not rows:
        return "FAIL"
    return "INVESTIGATE" if "investigate" in violated else "PASS"
