"""The rules, in one place: what holds, why it matters, how severe it is, what to do when it does not.

Everything that names a rule (suites, Data Docs, the report, the JSON) takes its words from here. A rule is one or more
checks; the function that a check names is in `expectations.checks`. A source here is a table (`expectations.tables`).
R0 to R8 are contracted; M rules are of macro minutes, D rules of derivatives alone.
"""

from dataclasses import dataclass
from typing import Literal

from lake.windows import HOUR_US, MINUTE_US

Severity = Literal["fail", "investigate", "info"]
Unit = Literal["row", "column", "window"]

TOP = 25
"""How many offending rows are kept of each check and shown of each rule."""

WIDE_PART_OF_MID = 0.05
"""A spread of this part of the mid price, or more, is wide."""

WIDE_SHARE = 0.001
"""Wide spreads count as violations from this share of the rows that have quotes."""

WITHIN = 1e-9
"""So much, as part of the larger, may a volume differ from the kline's: ours are rounded once from the exact sum."""

EXACT = {"open": "open", "high": "high", "low": "low", "close": "close", "trade_count": "trades"}
VOLUMES = {
    "volume_base": "volume",
    "volume_quote": "quote_volume",
    "taker_buy_base": "taker_base_vol",
    "taker_buy_quote": "taker_quote_vol",
}
"""Columns of ours that R7 compares, and what a kline calls them: equal, and within `WITHIN`."""

JUMP = 0.02
"""A close that differs by more than this (log return) from its neighbour's is a jump."""

NEIGHBOURS_US = 5 * MINUTE_US
"""Macro minutes so close are of one session: every market rests longer."""

RARELY_US = 8 * HOUR_US
"""No contract pays its funding more rarely."""

RATE = 0.03
"""A funding rate beyond this is more than the exchange's caps let most contracts pay."""


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


_PRICES = ("open", "high", "low", "close")
_PAIRS = (name for ours, theirs in {**EXACT, **VOLUMES}.items() for name in (f"our_{ours}", f"kline_{theirs}"))
_INTEREST = ("open_interest", "open_interest_value")
_CANDLES = ("bars", "klines", "macro")
_ALL = (*_CANDLES, "funding", "open_interest")
_ANEW = (
    "Bars: transform the hour again from raw. Klines: move the day's file away and backfill. Macro: run macro-minute "
    "with lookback_days."
)

RULES: tuple[Rule, ...] = (
    Rule(
        "R0",
        "The table is what it says it is",
        "A column that is missing or of another type, or a row of another symbol, makes every other number doubtful.",
        f"{_ANEW} Derivatives: move the file away and run derivatives-hour. Look for what else writes there.",
        (
            Check(
                "R0-columns",
                "every column is there with its type",
                "fail",
                "column",
                "columns",
                facts=("table", "found", "files"),
            ),
            Check("R0-rows", "no other symbol's rows", "fail", "row", "own_symbol", facts=("symbol",)),
        ),
        _ALL,
    ),
    Rule(
        "R1",
        "High and low enclose open and close",
        "low ≤ open, close ≤ high. A bar that breaks it was not made of trades. Prices that are null or NaN are R4's.",
        _ANEW,
        (Check("R1", "low ≤ open, close ≤ high", "fail", "row", "enclosed", _PRICES),),
        _CANDLES,
    ),
    Rule(
        "R2",
        "Prices are positive",
        "Nothing trades at zero, below, or at infinity. Prices that are null or NaN are R4's.",
        f"Look at the raw lines of the second: the exchange's text, or its parsing, is wrong. {_ANEW}",
        (Check("R2", "open, high, low, close > 0 and finite", "fail", "row", "positive", _PRICES),),
        _CANDLES,
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
        f"{_ANEW} A window without a known price must be missing, not null.",
        (Check("R4", "no null or NaN in open, high, low, close", "fail", "row", "priced", _PRICES),),
        _CANDLES,
    ),
    Rule(
        "R5",
        "Timestamps run on without a hole",
        "A duplicate counts a second twice, a timestamp off the grid or in another day's file is found by no join, and "
        "a missing window is time of which nothing is known. A candle is due when it has closed, and not where the "
        "exchange is known to have none; a macro minute is due in the market's hours, where every one has a price.",
        f"Missing bars: recover the trades, transform again; missing klines: backfill-binance. Else: {_ANEW}",
        (
            Check(
                "R5-rows",
                "on the grid of the timeframe and in its day's file, no duplicates",
                "fail",
                "row",
                "on_grid",
                facts=("table", "timeframe", "day"),
            ),
            Check(
                "R5-windows",
                "no missing window between start and end, clipped to the present",
                "investigate",
                "window",
                "no_hole",
                facts=("symbol", "timeframe", "due"),
                sources=(*_CANDLES, "open_interest"),
            ),
        ),
        _ALL,
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
        "R7",
        "Complete minutes equal the exchange's own klines",
        "A minute that is proved complete has the exchange's prices and count, and its volumes within 1e-9 (taker "
        "volumes too), or the proof is wrong. A minute without a kline is not checked. The reason is what the data "
        "prove. Hole of ours: trade ids in the minute or at its edges do not run on, the missing are named. Trades "
        "counted twice: ids overlap, or are fewer than the trades. Late trade: ids run on, the counts differ. Revision "
        "upstream: ids run on and counts agree, values differ.",
        "Hole of ours: recover the named trades, transform the hour again. Counted twice, late trade: transform the "
        "hour again. Revision upstream: move the day's klines away and backfill them; if it stays, look at the trades.",
        (
            Check(
                "R7",
                "every complete minute equals the official 1m kline, where one is there",
                "investigate",
                "row",
                "parity",
                ("reason", "missing_ids", "differs", *_PAIRS),
                facts=("parity",),
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
    Rule(
        "M1",
        "Prices do not jump within a session",
        f"Two closes at most {NEIGHBOURS_US // MINUTE_US} minutes apart differ by {JUMP:.0%} or less. More is news, or "
        "a price of another instrument or unit.",
        "Compare with another source; if it is Yahoo's mistake, it corrects it: run macro-minute with lookback_days.",
        (
            Check("M1", f"|log return| ≤ {JUMP:.0%} between neighbouring minutes", "investigate", "row", "steady",
                  ("close",)),
        ),
        ("macro",),
    ),
    Rule(
        "D1",
        "Fundings come regularly, and all of them",
        "A contract pays every 8, 4, 2 or 1 hours and changes that now and then; one missing funding makes every carry "
        "computed from it wrong. A funding is irregular when it comes more than 8 hours after the one before, or after "
        "a longer wait than both the one before and the one after it. An hour is known when the store has noted that "
        "it has all fundings of it.",
        "Run derivatives-hour for the range.",
        (
            Check("D1-known", "of every hour all fundings are held", "investigate", "window", "known",
                  facts=("symbol", "timeframe", "due", "held")),
            Check("D1-regular", "no funding comes after a longer wait than its neighbours, or than 8 hours",
                  "investigate", "row", "regular", ("funding_rate",), ("symbol", "around")),
        ),
        ("funding",),
    ),
    Rule(
        "D2",
        "Funding rates are there and plausible",
        f"A rate is a number and at most {RATE:.0%} either way; the mark price is positive where there is one.",
        "Compare with the exchange; move the year's file away and run derivatives-hour.",
        (
            Check("D2-there", "no null or NaN in funding_rate", "fail", "row", "rated", ("funding_rate",)),
            Check("D2-plausible", f"|funding_rate| ≤ {RATE:.0%}, mark_price > 0 where it is there", "investigate",
                  "row", "plausible_rate", ("funding_rate", "mark_price")),
        ),
        ("funding",),
    ),
    Rule(
        "D3",
        "Open interest is there and positive",
        "A contract that trades has some open. Nought, less, or nothing is an answer misread, or a contract that ends.",
        "Compare with the exchange; move the day's file away and run derivatives-hour.",
        (
            Check("D3-there", "no null or NaN in open interest and its value", "fail", "row", "interested", _INTEREST),
            Check("D3-positive", "open interest and its value > 0 and finite", "investigate", "row",
                  "positive_interest", _INTEREST),
        ),
        ("open_interest",),
    ),
)  # fmt: skip


def rules(source: str) -> tuple[Rule, ...]:
    """Return the rules that apply to a source (a table, such as ``bars``), in order."""
    return tuple(rule for rule in RULES if source in rule.sources)


def checks(source: str) -> tuple[Check, ...]:
    """Return the checks of every rule that applies to a source, in order."""
    return tuple(
        check for rule in rules(source) for check in rule.checks if not check.sources or source in check.sources
    )


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
