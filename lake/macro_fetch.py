"""Macro minute bars of one ticker: what to ask for, what to keep of the answer, and what is missing.

Grain: one ticker, one minute that has ended and in which Yahoo has a price (`lake.schemas.MACRO`). How the minutes lie
on disk: `lake.macro_store`.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from loguru import logger

from lake import calendars, locks, macro_rows, macro_store, yahoo
from lake.layout import Layout
from lake.macro_rows import Left
from lake.sections import MacroMinute
from lake.windows import DAY, SECOND_US, Window
from lake.yahoo import Answer

Ask = Callable[[str, Window, str | None], Answer]
"""Asks Yahoo, as `lake.yahoo.minutes` does: ticker, window of at most 7 days, host."""
_SETTLED = timedelta(hours=1)
"""So long after the close a ticker is asked about still: Yahoo corrects its last bars."""


@dataclass(frozen=True)
class MacroResult:
    """What became of one ticker.

    Attributes:
        asked: False where nothing can be new: its market is closed, and its last minute is held.
        new: Minutes that were not held before.
        revised: Minutes held before, whose values Yahoo has changed.
        nulls: Rows of the answer without a price, left out.
        forming: Rows about a minute that had not ended, or with Yahoo's last price, left out.
        outside: Rows before or after the regular session, which were not asked for, left out.
        superseded: Minutes about which the answer had two rows that differ; the later row was taken.
        refused: Rows that contradict themselves (`lake.macro_rows.checked`): they are in the quarantine.
        expected: Minutes in which the market was open in the window asked about; None where its hours are not known.
        without_price: Those not held because there was no price: Yahoo said so, or it is a future or a currency. None
            where the hours are not known.
        missing: Those not held whose row was refused, or of which Yahoo gave no row, in a market where each minute
            ought to have a price (`lake.calendars.is_exact`). None where the hours are not known.
        newest: Start of the newest minute held, or None.
    """

    ticker: str
    asked: bool
    new: int
    revised: int
    nulls: int
    forming: int
    outside: int
    superseded: int
    refused: int
    expected: int | None
    without_price: int | None
    missing: int | None
    newest: datetime | None
    seconds: float

    @property
    def rows(self) -> int:
        """Minutes written: new and revised."""
        return self.new + self.revised


def update(
    layout: Layout,
    ticker: str,
    macro: MacroMinute,
    now: datetime,
    lookback_days: int | None = None,
    compression: str = "snappy",
    ask: Ask = yahoo.minutes,
) -> MacroResult:
    """Bring one ticker up to date; twice gives once, and a file whose rows are the same is not written again.

    Asked with the ticker's lock held, so that of two runs the one that asked last writes last.

    Args:
        layout: The lake.
        ticker: Yahoo's name of it.
        macro: Lookbacks and Yahoo's host.
        now: The time; a minute that has not ended by then is left out.
        lookback_days: Ask for so many days (1 to 30), whatever is held.
        compression: Parquet codec.
        ask: What asks Yahoo.

    Raises:
        LakeError: see `lake.yahoo.minutes`; or a file that is held cannot be read. Nothing more is written then.
    """
    began = time.monotonic()
    with locks.macro(layout, ticker):
        macro_store.sweep(layout, ticker)
        held = macro_store.newest(layout, ticker)
        window = asked_window(held, macro, now, lookback_days)
        left, new, revised = Left(), 0, 0
        asked = lookback_days is not None or not nothing_new(ticker, held, now)
        for piece in pieces(window) if asked else ():
            bars = macro_rows.bars(ticker, ask(ticker, piece, macro.yahoo_url), piece, now, left)
            _put_aside(layout, ticker, left)
            added, changed = macro_store.store(layout, ticker, bars, compression)
            new, revised = new + added, revised + changed
        expected, without, missing = _completeness(layout, ticker, window, left)
        return MacroResult(
            ticker, asked, new, revised, len(left.nulls), len(left.forming), len(left.outside), len(left.superseded),
            len(left.refused), expected, without, missing, macro_store.newest(layout, ticker), time.monotonic() - began,
        )  # fmt: skip


def asked_window(held: datetime | None, macro: MacroMinute, now: datetime, lookback_days: int | None) -> Window:
    """Return what to ask for: a lookback of days, further back to the newest minute held, so that no hole is left.

    A downtime of more than 7 days needs ``lookback_days``; Yahoo keeps 30.
    """
    if lookback_days is not None:
        start = now - lookback_days * DAY
    elif held is None:
        start = now - macro.startup_backfill_days * DAY
    else:
        start = max(min(now - macro.runtime_lookback_days * DAY, held), now - yahoo.MOST_A_REQUEST)
    return Window(max(start, now - yahoo.KEPT), now)


def pieces(window: Window) -> Iterable[Window]:
    """Yield a window in pieces that Yahoo answers, oldest first, so that what is stored ends at the newest minute."""
    start = window.start
    while start < window.end:
        end = min(start + yahoo.MOST_A_REQUEST, window.end)
        yield Window(start, end)
        start = end


def nothing_new(ticker: str, held: datetime | None, now: datetime) -> bool:
    """Whether it is certain that Yahoo has nothing new: closed for an hour, and the last minute before it is held."""
    closed = calendars.closed_since(ticker, now)
    if held is None or closed is None or now - closed < _SETTLED:
        return False
    return held >= closed - timedelta(minutes=1)


def _put_aside(layout: Layout, ticker: str, left: Left) -> None:
    """Keep what was refused, and log it once: the same rows come again with every answer of the next days."""
    if new := macro_rows.put_aside(layout, ticker, left.refused):
        reason = next(reversed(left.refused.values()))
        logger.warning("{}: refused rows of Yahoo's answer: {}, such as one whose {}", ticker, new, reason)


def _completeness(
    layout: Layout, ticker: str, window: Window, left: Left
) -> tuple[int | None, int | None, int | None]:  # fmt: skip
    """Return how many minutes were open and over in a window, how many had no price, and how many are missing."""
    minutes = calendars.open_minutes(ticker, window)
    if minutes is None:
        return None, None, None
    held = macro_store.held(layout, ticker, window)
    lacking = [ts for ts in minutes if ts not in held]
    refused = {row.ts_s * SECOND_US for row in left.refused}
    expected = set(lacking) - left.nulls if calendars.is_exact(ticker) else set[int]()
    missing = expected | refused.intersection(lacking)
    return len(minutes), len(lacking) - len(missing), len(missing)
