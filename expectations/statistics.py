"""The detailed statistics of the Markdown report: coverage, agreement with the klines, spreads."""

import math
from collections.abc import Iterable
from typing import Any

from expectations.agreement import LAST_DAYS
from expectations.day_result import DayResult, Parity
from expectations.markdown import Link, table
from expectations.outcome import Outcome
from expectations.reasons import REASONS

_BLOCKS = "▁▂▃▄▅▆▇█"


def coverage(outcome: Outcome) -> str:
    """Return how much of each symbol is there, with a picture of the day."""
    rows = []
    tables = list(dict.fromkeys(day.table for day in outcome.days))
    for symbol in outcome.symbols:
        for name in tables or [outcome.source]:
            days = [day for day in outcome.days if (day.symbol, day.table) == (symbol, name)]
            rows.append([symbol, *([name] if len(tables) > 1 else []), *_covered(days, bars=name == "bars")])
    head = [
        "Symbol",
        *(["Table"] if len(tables) > 1 else []),
        "Windows expected",
        "Held",
        "Missing",
        "Held %",
        "00–24 h",
    ]
    head += ["Rows", "Flat rows", "Complete rows" if outcome.source == "bars" else "Absent at the exchange"]
    says = (
        "00–24 h: the share of each hour's windows that is there, from ▁ (up to an eighth) to █ (all of them), × where "
        "none is and · where none must be; over all days."
    )
    numbers = {"Windows expected", "Held", "Missing", "Held %", "Rows", "Flat rows", *head[-1:]}
    return f"### Coverage\n\n{says}\n\n" + table(
        head, rows, " ".join(str(i) for i, n in enumerate(head) if n in numbers)
    )


def _covered(days: list[DayResult], *, bars: bool) -> list[Any]:
    expected, missing = sum(day.expected for day in days), sum(day.missing for day in days)
    held = expected - missing
    picture = Link(blocks(mean([day.hours[hour] for day in days]) for hour in range(24)))
    counts = [sum(getattr(day, name) for day in days) for name in ("rows", "flat", "complete" if bars else "absent")]
    return [expected, held, missing, Link(share(held, expected)), picture, *counts]


def mean(shares: Iterable[float | None]) -> float | None:
    """Return the mean of the shares that are there, or None."""
    known = [one for one in shares if one is not None]
    return sum(known) / len(known) if known else None


def blocks(shares: Iterable[float | None]) -> str:
    """Return one character a share: ``█`` only where all is there, ``×`` only where nothing is, ``·`` for None."""
    return "".join(_block(one) for one in shares)


def _block(part: float | None) -> str:
    if part is None:
        return "·"
    if part <= 0:
        return "×"
    return "█" if part >= 1 else _BLOCKS[min(int(part * 8), 6)]


def share(part: int, whole: int) -> str:
    """Return a percentage, never rounded up: 100 % is all of it."""
    return f"{math.floor(1e4 * 100 * part / whole) / 1e4:.4f} %" if whole else "–"


def parity(outcome: Outcome) -> str:
    """Return how the minutes of each symbol compare with the exchange's klines, and what their volumes differ by."""
    found = {
        symbol: [day.parity for day in outcome.days if day.symbol == symbol and day.parity]
        for symbol in outcome.symbols
    }
    rows = [[symbol, *_agreeing(days)] for symbol, days in found.items()]
    head = ["Symbol", "Complete minutes", "Compared", "Agree", "Agree %", *(one.capitalize() for one in REASONS)]
    text = "### Agreement with the official klines\n\n" + table(head, rows, "1 2 3 4 5 6 7 8")
    lacking = sum(one.not_there for days in found.values() for one in days)
    if lacking:
        text += f"\n\nKlines not there: {lacking:,} minutes; fetch with `backfill-binance`, or give `--fetch-klines`."
    off_grid = sum(one.off_grid for days in found.values() for one in days)
    if off_grid:
        text += f"\n\nNot compared: {off_grid:,} minutes, whose klines open off the grid (rule K1 of klines)."
    return text + "\n\n" + _volumes(found)


def _agreeing(days: list[Parity]) -> list[Any]:
    checked, bad = sum(one.checked for one in days), sum(one.violations for one in days)
    reasons = [sum(one.reasons.get(reason, 0) for one in days) for reason in REASONS]
    return [sum(one.complete for one in days), checked, checked - bad, Link(share(checked - bad, checked)), *reasons]


def _volumes(found: dict[str, list[Parity]]) -> str:
    says = (
        "All minutes that both have, complete or not: of one that is not, the difference is what is missing. The "
        "largest difference is of complete minutes, relative, of any of the four volumes."
    )
    rows = []
    for symbol, days in found.items():
        ours, theirs = sum(one.our_volume for one in days), sum(one.kline_volume for one in days)
        largest = [one.largest for one in days if one.largest is not None]
        trades = [sum(one.our_trades for one in days), sum(one.kline_trades for one in days)]
        rows.append(
            [symbol, sum(one.both for one in days), *trades, trades[0] - trades[1],
             *(Link(f"{one:,.8g}") for one in (ours, theirs)),
             Link(f"{100 * (ours - theirs) / theirs:+.4g} %" if theirs else "–"),
             Link(f"{max(largest):.3g}" if largest else "–")]
        )  # fmt: skip
    head = ["Symbol", "Minutes", "Our trades", "Kline trades", "Difference", "Our volume", "Kline volume", "Difference",
            "Largest in a complete minute"]  # fmt: skip
    return f"### Volume differences\n\n{says}\n\n" + table(head, rows, "1 2 3 4 5 6 7 8")


def agreement(outcome: Outcome) -> str:
    """Return the share of minutes that agree, a row a day, as far as it has been noted."""
    rows = []
    for day in sorted({row["day"] for row in outcome.agreement}):
        these = [row for row in outcome.agreement if row["day"] == day]
        compared, agree = (sum(row[name] for row in these) for name in ("compared", "agree"))
        lowest = min(these, key=lambda row: (row["share"], row["symbol"]))
        says = f"{lowest['symbol']} {share(lowest['agree'], lowest['compared'])}"
        rows.append([day.isoformat(), len(these), compared, agree, Link(share(agree, compared)), says])
    head = ["Day", "Symbols", "Compared", "Agree", "Agree %", "Lowest"]
    says = f"The last {LAST_DAYS} days of these symbols, as each was validated last; all: `reports/parity.parquet`."
    return f"### Agreement over time\n\n{says}\n\n" + (table(head, rows, "1 2 3 4") if rows else "Nothing noted yet.")


def spreads(outcome: Outcome) -> str:
    """Return the quantiles of each symbol's spread, and how many are wide or negative."""
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
