"""Tasks around macro minute bars: one ticker, and all of them with patience for rate limits."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from loguru import logger

from lake import macro_fetch
from lake.layout import Layout
from lake.macro_fetch import MacroResult
from lake.progress import Progress
from lake.sections import MacroMinute
from lake.yahoo import RateLimitedError
from tasks.runs import each, lake_task, many

R = TypeVar("R")

WAITS_S = (30.0, 60.0, 120.0, 180.0)
"""How long rate-limited tickers wait before each new try: 6.5 minutes in all, less than half of what is between two
scheduled runs. Up to a quarter is added by chance, so that two lakes at one address do not ask in step."""
_JITTER = 0.25


@lake_task("update {ticker}", retries=0)
def update_macro(
    layout: Layout, ticker: str, settings: MacroMinute, now: datetime, lookback_days: int | None, compression: str
) -> MacroResult:
    """Bring the minutes of one ticker up to date. Not tried again here: `patiently` does, or the next run."""
    return macro_fetch.update(layout, ticker, settings, now, lookback_days, compression)


def summary(done: list[MacroResult]) -> str:
    """Say in one line what was done, and everything that was left out."""
    parts = [
        f"{sum(r.new for r in done):,} new minutes of {many(len(done), 'ticker')}",
        f"{sum(r.revised for r in done):,} revised", f"{sum(r.nulls for r in done):,} null rows left out",
    ]  # fmt: skip
    counts = {
        "refused (see quarantine/macro)": sum(r.refused for r in done),
        "outside of trading hours left out": sum(r.outside for r in done),
        "superseded by a later row": sum(r.superseded for r in done),
    }
    parts += [f"{count:,} {what}" for what, count in counts.items() if count]
    parts.append(f"{sum(r.missing or 0 for r in done):,} missing")
    if unknown := [r.ticker for r in done if r.expected is None]:
        parts.append(f"not known whether any is missing of {' '.join(unknown)}, whose trading hours are not known")
    return ", ".join(parts)


def left_out(result: MacroResult) -> str | None:
    """Say which rows of a ticker were left out beside null and refused ones, or None where there were no others."""
    counts = {"live": result.forming, "outside hours": result.outside, "superseded": result.superseded}
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or None


def patiently(
    tickers: Sequence[str],
    call: Callable[[str], R],
    progress: Progress,
    waits_s: Sequence[float] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[list[R], dict[str, str]]:
    """Call for every ticker, whatever happens to another; those that are rate-limited are tried again after the others.

    Args:
        tickers: What to call for.
        call: Raises `RateLimitedError` for a ticker that must wait.
        progress: Told how far it is.
        waits_s: Seconds to wait before each new try; left out: `WAITS_S`.
        sleep: What waits.

    Returns:
        The results, and what failed with its reason; so does a ticker that is still limited at the end.
    """
    done: list[R] = []
    failed: dict[str, str] = {}
    left, waits = list(tickers), list(WAITS_S if waits_s is None else waits_s)
    while True:
        limited: dict[str, str] = {}
        found, wrong = each(left, partial(_once, call, limited), progress)
        done += [result for result in found if result is not None]
        failed |= wrong
        if not limited or not waits:
            return done, failed | limited
        left, wait = list(limited), waits.pop(0) * (1 + random.uniform(0, _JITTER))  # noqa: S311
        logger.warning("{}: rate-limited by Yahoo; tried again in {:.0f} s", ", ".join(left), wait)
        sleep(wait)


def _once(call: Callable[[str], R], limited: dict[str, str], ticker: str) -> R | None:
    try:
        return call(ticker)
    except RateLimitedError as error:
        limited[ticker] = str(error)
        return None
