"""Macro minute bars of one ticker: what to ask for, what to keep of the answer, and what is missing.

Grain: one ticker, one minute that has ended and in which Yahoo has a price (`lake.schemas.MACRO`). How the minutes lie
on disk: `lake.macro_store`.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from lake import calendars, locks, macro_store, yahoo
from lake.layout import Layout
from lake.macro_store import Bar
from lake.sections import MacroMinute
from lake.windows import DAY, MINUTE_US, Window, micros

Ask = Callable[[str, Window, str | None], pa.Table]
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
        forming: Rows of the answer about a minute that had not ended, left out.
        expected: Minutes in which the market was open in the window asked about; None where its hours are not known.
        without_price: Those not held because there was no price: Yahoo said so, or it is a future or a currency.
        missing: Those not held of which Yahoo said nothing, in a market where each ought to have a price
            (`lake.calendars.is_exact`).
        newest: Start of the newest minute held, or None.
    """

    ticker: str
    asked: bool
    new: int
    revised: int
    nulls: int
    forming: int
    expected: int | None
    without_price: int
    missing: int
    newest: datetime | None
    seconds: float

    @property
    def rows(self) -> int:
        """Minutes written: new and revised."""
        return self.new + self.revised


@dataclass
class _Answer:
    """Minutes by their start in µs, with what was left out."""

    bars: dict[int, Bar]
    nulls: set[int]
    forming: int


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
        nulls, forming, new, revised = set[int](), 0, 0, 0
        asked = lookback_days is not None or not nothing_new(ticker, held, now)
        for piece in pieces(window) if asked else ():
            answer = _kept(ask(ticker, piece, macro.yahoo_url), now)
            added, changed = macro_store.store(layout, ticker, answer.bars, compression)
            new, revised, forming = new + added, revised + changed, forming + answer.forming
            nulls |= answer.nulls
        expected, without, missing = _completeness(layout, ticker, window, nulls)
        return MacroResult(
            ticker, asked, new, revised, len(nulls), forming, expected, without, missing,
            macro_store.newest(layout, ticker), time.monotonic() - began,
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


def _kept(answer: pa.Table, now: datetime) -> _Answer:
    """A row that is not on the minute is Yahoo's last price, put behind the bars: part of a minute still forming."""
    over = micros(now) - MINUTE_US
    kept = _Answer({}, set(), 0)
    for row in answer.to_pylist():
        ts = micros(row.pop("ts"))
        if None in (row["open"], row["high"], row["low"], row["close"]):
            kept.nulls.add(ts)
        elif ts > over or ts % MINUTE_US:
            kept.forming += 1
        else:
            kept.bars[ts] = (row["open"], row["high"], row["low"], row["close"], row["volume"] or 0.0)
    return kept


def _completeness(layout: Layout, ticker: str, window: Window, nulls: set[int]) -> tuple[int | None, int, int]:
    """Return how many minutes were open and over in a window, how many had no price, and how many are missing."""
    minutes = calendars.open_minutes(ticker, window)
    if minutes is None:
        return None, 0, 0
    held = macro_store.held(layout, ticker, window)
    lacking = [ts for ts in minutes if ts not in held]
    missing = [ts for ts in lacking if ts not in nulls] if calendars.is_exact(ticker) else []
    return len(minutes), len(lacking) - len(missing), len(missing)
