"""What each check of the rulepack counts, on one symbol-day as a pandas frame: pure functions, whole columns at a time.

Whatever the table, a frame has ``symbol`` and ``window_start`` (`expectations.tables.Table.arrow`).

A row check returns how many rows it looked at and a mask of the offending ones; a violation is a row, however many
comparisons fail in it. The others return their violations as rows made for the reader.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from expectations import due, fundings
from expectations.rulepack import JUMP, NEIGHBOURS_US, RARELY_US, RATE, TOP, WIDE_PART_OF_MID, Check
from expectations.tables import STEP_US, TABLES
from lake.windows import DAY_US, HOUR_US, iso, micros, moment

Facts = dict[str, Any]


@dataclass(frozen=True)
class Finding:
    """How many were checked, how many violate, and the first of those (`TOP`), ready for JSON."""

    checked: int
    violations: int
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Rows:
    """The answer of a row check: how many rows it applies to, which of all rows offend, columns that show why."""

    checked: int
    bad: np.ndarray
    why: dict[str, np.ndarray] = field(default_factory=dict)


def find(check: Check, frame: pd.DataFrame, facts: Facts) -> Finding:
    """Run a check on the rows of one symbol-day, sorted by window_start, with the columns of their table."""
    found = FUNCTIONS[check.function](frame, facts)
    if isinstance(found, Finding):
        return found
    first = np.flatnonzero(found.bad)[:TOP]
    shown = frame.iloc[first][["symbol", "window_start", *check.columns]].assign(
        **{name: values[first] for name, values in found.why.items()}
    )
    rows = [{name: _plain(value) for name, value in row.items()} for row in shown.to_dict("records")]
    return Finding(found.checked, int(found.bad.sum()), rows)


def _columns(_: pd.DataFrame, facts: Facts) -> Finding:
    columns = TABLES[facts["table"]].schema.columns
    odd = [
        {"column": column.name, "expected": str(column.type), **facts["found"][column.name]}
        for column in columns
        if column.name in facts["found"]
    ]
    return Finding(len(columns) if facts["files"] else 0, len(odd), odd[:TOP])


def _own_symbol(frame: pd.DataFrame, facts: Facts) -> Rows:
    return Rows(len(frame), ~own(frame, facts["symbol"]))


def _enclosed(frame: pd.DataFrame, _: Facts) -> Rows:
    open_, high, low, close = _prices(frame)
    return Rows(len(frame), (low > open_) | (low > close) | (open_ > high) | (close > high) | (low > high))


def _positive(frame: pd.DataFrame, _: Facts) -> Rows:
    return Rows(len(frame), np.logical_or.reduce([(price <= 0) | np.isinf(price) for price in _prices(frame)]))


def _uncrossed(frame: pd.DataFrame, _: Facts) -> Rows:
    bid, ask = floats(frame, "bid"), floats(frame, "ask")
    return Rows(int((~np.isnan(bid) & ~np.isnan(ask)).sum()), ask < bid)


def _priced(frame: pd.DataFrame, _: Facts) -> Rows:
    return Rows(len(frame), np.logical_or.reduce([np.isnan(price) for price in _prices(frame)]))


def _on_grid(frame: pd.DataFrame, facts: Facts) -> Rows:
    start_us, step, slack = starts(frame), STEP_US[facts["timeframe"]], TABLES[facts["table"]].slack_us
    day_us = micros(datetime.fromisoformat(facts["day"]))
    bad = (start_us % step > slack) | (start_us < day_us) | (start_us >= day_us + DAY_US)
    if slack:  # two of one point of the grid are one too many
        frame = frame[["symbol"]].assign(window_start=start_us // step)
    again = frame.duplicated(["symbol", "window_start"]).to_numpy()
    return Rows(len(frame), bad | again, {"reason": np.where(bad, "off the grid", "duplicate")})


def _no_hole(frame: pd.DataFrame, facts: Facts) -> Finding:
    wanted = due.windows(facts["due"], facts["timeframe"])
    return _missing(wanted, due.among(wanted, starts(frame)[own(frame, facts["symbol"])], facts["timeframe"]), facts)


def _known(_: pd.DataFrame, facts: Facts) -> Finding:
    wanted = due.windows(facts["due"], facts["timeframe"])
    return _missing(wanted, fundings.held(wanted, facts["held"]), facts)


def _missing(wanted: np.ndarray, there: np.ndarray, facts: Facts) -> Finding:
    """Count the windows that are not there, and name the holes that they make together."""
    gone = wanted[~there]
    cuts = np.flatnonzero(np.diff(gone) != STEP_US[facts["timeframe"]]) + 1
    rows = [
        {
            "symbol": facts["symbol"],
            "window_start": iso(moment(int(hole[0]))),
            "last_missing": iso(moment(int(hole[-1]))),
            "missing_windows": len(hole),
        }
        for hole in (np.split(gone, cuts)[:TOP] if len(gone) else ())
    ]
    return Finding(len(wanted), len(gone), rows)


def _plausible_spread(frame: pd.DataFrame, facts: Facts) -> Rows:
    quoted, negative, wide, _ = spreads(frame)
    return Rows(int(quoted.sum()), negative | wide if facts["wide_counts"] else negative)


def _consecutive_ids(frame: pd.DataFrame, facts: Facts) -> Rows:
    at = traded(frame, facts["symbol"])
    first = frame["first_trade_id"].to_numpy(dtype="int64", na_value=0)[at]
    last = frame["last_trade_id"].to_numpy(dtype="int64", na_value=0)[at]
    known = facts["previous_trade_id"]
    previous = np.concatenate([[known if known is not None else first[0] - 1], last[:-1]]) if len(at) else last
    expected = previous.astype("int64") + 1
    bad, before, missing = (
        np.zeros(len(frame), dtype=bool),
        np.zeros(len(frame), "int64"),
        np.zeros(len(frame), "int64"),
    )
    bad[at] = first != expected
    before[at], missing[at] = expected - 1, first - expected
    return Rows(len(at), bad, {"previous_last_trade_id": before, "missing_trades": missing})


def _parity(_: pd.DataFrame, facts: Facts) -> Finding:
    found = facts["parity"]
    return Finding(found["checked"], found["violations"], found["rows"])


def _steady(frame: pd.DataFrame, _: Facts) -> Rows:
    """Of neighbouring rows, at most some minutes apart and so of one session, the later one whose close has jumped."""
    close, at = floats(frame, "close"), starts(frame)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(np.where(close > 0, close, np.nan))
    near = (np.diff(at, prepend=at[:1]) <= NEIGHBOURS_US) & (np.arange(len(at)) > 0)
    change = np.diff(logs, prepend=np.nan)
    before = np.concatenate([[np.nan], close[:-1]])[: len(close)]
    return Rows(
        int(near.sum()),
        near & (np.abs(change) > JUMP),
        {"close_before": before, "change_percent": 100 * np.expm1(change)},
    )


def _regular(frame: pd.DataFrame, facts: Facts) -> Rows:
    """A funding whose distance to the one before is more than any contract's, or more than both distances beside it."""
    hours = np.unique(np.array(facts["around"], dtype=np.int64) // HOUR_US)
    gap = np.diff(hours)
    alone = np.zeros(len(gap), dtype=bool)
    alone[1:-1] = (gap[1:-1] > gap[:-2]) & (gap[1:-1] > gap[2:])
    late = hours[1:][alone | (gap * HOUR_US > RARELY_US)]
    mine = own(frame, facts["symbol"])
    hour = starts(frame) // HOUR_US
    since = dict(zip(hours[1:].tolist(), gap.tolist(), strict=True))
    return Rows(
        int(mine.sum()),
        mine & np.isin(hour, late) & ~pd.Series(hour).duplicated().to_numpy(),
        {"hours_since_the_one_before": np.array([since.get(one) for one in hour.tolist()], dtype=object)},
    )


def _rated(frame: pd.DataFrame, _: Facts) -> Rows:
    return Rows(len(frame), np.isnan(floats(frame, "funding_rate")))


def _plausible_rate(frame: pd.DataFrame, _: Facts) -> Rows:
    rate, mark = floats(frame, "funding_rate"), floats(frame, "mark_price")
    return Rows(len(frame), (np.abs(rate) > RATE) | (mark <= 0) | np.isinf(mark))


def _interested(frame: pd.DataFrame, _: Facts) -> Rows:
    return Rows(len(frame), np.logical_or.reduce([np.isnan(one) for one in _interests(frame)]))


def _positive_interest(frame: pd.DataFrame, _: Facts) -> Rows:
    return Rows(len(frame), np.logical_or.reduce([(one <= 0) | np.isinf(one) for one in _interests(frame)]))


def _interests(frame: pd.DataFrame) -> list[np.ndarray]:
    return [floats(frame, name) for name in ("open_interest", "open_interest_value")]


def traded(frame: pd.DataFrame, symbol: str) -> np.ndarray:
    """Return where the symbol's own bars with trades are, each window once: the bars that trade ids run through.

    A duplicate is R5's: the ids of the same window once more are no hole.
    """
    has_ids = (frame["first_trade_id"].notna() & frame["last_trade_id"].notna()).to_numpy()
    at = np.flatnonzero(has_ids & own(frame, symbol))
    start_us = starts(frame)[at]
    return at[np.concatenate([[True], start_us[1:] != start_us[:-1]])] if len(at) else at


def spreads(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return of each row: has it quotes, is its spread negative, is it wide, and the spread as part of the mid price.

    The stored spread counts; where there is none but both quotes are, it is ask - bid. A spread that is not below 5 %
    of a mid price (because that is zero, or infinite) is wide.
    """
    bid, ask, spread = floats(frame, "bid"), floats(frame, "ask"), floats(frame, "spread")
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        quoted = ~np.isnan(bid) & ~np.isnan(ask)
        spread = np.where(np.isnan(spread), ask - bid, spread)
        mid = bid / 2 + ask / 2
        negative = spread < 0
        wide = quoted & ~negative & ~(spread < WIDE_PART_OF_MID * mid)
        return quoted, negative, wide, np.where(quoted, spread / mid, np.nan)


def own(frame: pd.DataFrame, symbol: str) -> np.ndarray:
    """Return which rows are of this symbol; a row without a symbol is not."""
    return (frame["symbol"] == symbol).to_numpy(dtype=bool, na_value=False)


def starts(frame: pd.DataFrame) -> np.ndarray:
    """Return window_start in microseconds since 1970; a null is the smallest integer, far off any window."""
    return frame["window_start"].dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype("int64")


def floats(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of doubles, a null as NaN."""
    return frame[column].to_numpy(dtype="float64", na_value=np.nan)


def _prices(frame: pd.DataFrame) -> list[np.ndarray]:
    return [floats(frame, name) for name in ("open", "high", "low", "close")]


def _plain(value: Any) -> Any:
    """A cell as JSON has it: times in ISO 8601, null for null and NaN, infinity as text."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    return value


FUNCTIONS: dict[str, Callable[[pd.DataFrame, Facts], Rows | Finding]] = {
    "columns": _columns,
    "own_symbol": _own_symbol,
    "enclosed": _enclosed,
    "positive": _positive,
    "uncrossed": _uncrossed,
    "priced": _priced,
    "on_grid": _on_grid,
    "no_hole": _no_hole,
    "plausible_spread": _plausible_spread,
    "consecutive_ids": _consecutive_ids,
    "parity": _parity,
    "steady": _steady,
    "known": _known,
    "regular": _regular,
    "rated": _rated,
    "plausible_rate": _plausible_rate,
    "interested": _interested,
    "positive_interest": _positive_interest,
}
