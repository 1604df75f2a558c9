"""What of Yahoo's rows is a minute bar, and what is left out: every row is counted on one side or the other.

A row that the rules R1, R2 or R4 would fail is refused by itself: the quarantine keeps it with its reason, its minute
counts as missing, and the other rows are stored.
"""

import json
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lake import calendars, quarantine
from lake.layout import Layout
from lake.macro_store import Bar
from lake.windows import DAY, DAY_US, MINUTE_US, SECOND_US, Window, micros, moment
from lake.yahoo_payload import COLUMNS, PRICES, Answer, Number, Row, Session

_FIRST_US, _LAST_US = micros(datetime(2009, 1, 1, tzinfo=UTC)), micros(datetime(2262, 1, 1, tzinfo=UTC))
"""What a time of the lake can be (`lake.windows.parse_time`)."""
_MOST_VOLUME = 2**53
"""Above it a double cannot tell one whole number from the next."""
_DAY_S, _MINUTE_S = DAY_US // SECOND_US, MINUTE_US // SECOND_US
_NEW_YORK_S = -5 * 3600
"""The offset of New York in winter. With it, hours before and after a session lie on the session's day all year."""


@dataclass
class Left:
    """What of the answers about a ticker is no minute bar; minutes by their start in µs, each once.

    Attributes:
        nulls: Rows without any price.
        forming: Minutes that had not ended, and Yahoo's last price, which it puts behind the bars.
        outside: Rows before or after the regular session, which were not asked for.
        superseded: Minutes about which one answer has two rows that differ; the later row is taken.
        refused: Rows that contradict themselves, with the reason.
    """

    nulls: set[int] = field(default_factory=set)
    forming: set[int] = field(default_factory=set)
    outside: set[int] = field(default_factory=set)
    superseded: set[int] = field(default_factory=set)
    refused: dict[Row, str] = field(default_factory=dict)


def bars(ticker: str, answer: Answer, window: Window, now: datetime, left: Left) -> dict[int, Bar]:
    """Return the minute bars of an answer by their start in µs, and add what else came to ``left``.

    Args:
        ticker: Yahoo's name of it.
        answer: Yahoo's answer.
        window: What was asked for.
        now: The time; a minute that has not ended by then is left out.
        left: What was left out so far.
    """
    found: dict[int, Bar] = {}
    over, horizon, sessions = micros(now) - MINUTE_US, micros(now + DAY), _sessions(ticker, answer)
    for number, row in enumerate(answer.rows, start=1):
        ts = row.ts_s * SECOND_US
        is_last = number == len(answer.rows)
        if not _FIRST_US <= ts < horizon:
            left.refused[row] = "time is before 2009, or a day or more from now"
        elif row.open is row.high is row.low is row.close is None:
            left.nulls.add(ts)
        elif ts > over or (is_last and (ts % MINUTE_US or ts >= window.end_us)):
            left.forming.add(ts)
        elif sessions and _is_outside(row.ts_s, sessions):
            left.outside.add(ts)
        elif isinstance(bar := checked(row), str):
            left.refused[row] = bar
        else:
            if found.setdefault(ts, bar) != bar:
                left.superseded.add(ts)
            found[ts] = bar
    return found


def checked(row: Row) -> Bar | str:
    """Return the bar of a row that has a price, or the reason why it is refused.

    A price must be above 0, as rule R2 has it. Prices that really were below (oil futures on 20 April 2020) are refused
    with the others: the quarantine keeps them, and whoever reads the lake need not think of them.
    """
    if row.ts_s % _MINUTE_S:
        return "time is not on a whole minute"
    if row.open is None or row.high is None or row.low is None or row.close is None:
        lacking = ", ".join(name for name, price in zip(PRICES, row[1:5], strict=True) if price is None)
        return f"{lacking} is null, and other prices are not"
    for name, price in zip(PRICES, (row.open, row.high, row.low, row.close), strict=True):
        if not 0 < price <= sys.float_info.max:
            return f"{name} is {_shown(price)}: expected a price above 0"
    if row.low > row.high:
        return f"low {_shown(row.low)} is above high {_shown(row.high)}"
    for name, price in (("open", row.open), ("close", row.close)):
        if not row.low <= price <= row.high:
            return f"{name} {_shown(price)} is not between low {_shown(row.low)} and high {_shown(row.high)}"
    if row.volume is not None and not 0 <= row.volume <= _MOST_VOLUME:
        return f"volume is {_shown(row.volume)}: expected 0 to 2^53"
    volume = None if row.volume is None else float(row.volume)
    return float(row.open), float(row.high), float(row.low), float(row.close), volume


def put_aside(layout: Layout, ticker: str, refused: dict[Row, str]) -> int:
    """Keep refused rows in the quarantine, a file a UTC day, each row once; return how many were not there yet."""
    by_day: dict[str, list[str]] = {}
    for row, reason in refused.items():
        ts = row.ts_s * SECOND_US
        day = f"{moment(ts):%Y-%m-%d}" if _FIRST_US <= ts < _LAST_US else "undated"
        line = json.dumps(dict(zip(("timestamp", *COLUMNS), row, strict=True))).encode()
        by_day.setdefault(day, []).append(quarantine.record(f"Yahoo's chart of {ticker}", row.ts_s, reason, line))
    return sum(quarantine.add(quarantine.macro_file(layout, ticker, day), lines) for day, lines in by_day.items())


def _shown(value: Number) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)[:40]


def _sessions(ticker: str, answer: Answer) -> tuple[Session, ...] | None:
    """Return the sessions that Yahoo names, or, where it names none, the calendar's of a market that has one."""
    if calendars.around_the_clock(ticker):
        return None
    stamps = [ts for row in answer.rows if _FIRST_US <= (ts := row.ts_s * SECOND_US) < _LAST_US]
    if answer.sessions or not stamps or not calendars.is_exact(ticker):
        return answer.sessions
    opened = calendars.open_windows(ticker, Window(moment(min(stamps)) - DAY, moment(max(stamps)) + DAY)) or ()
    return tuple(Session(one.start_us // SECOND_US, one.end_us // SECOND_US, _NEW_YORK_S) for one in opened)


def _is_outside(ts_s: int, sessions: tuple[Session, ...]) -> bool:
    """Whether a row is of the day of a session, and of none of its minutes. A day without a session says nothing."""
    same_day = [one for one in sessions if (ts_s + one.offset_s) // _DAY_S == (one.start_s + one.offset_s) // _DAY_S]
    return bool(same_day) and not any(one.start_s - _MINUTE_S < ts_s < one.end_s for one in same_day)
