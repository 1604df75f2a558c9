"""What each check of the rulepack counts, on one symbol-day as a pandas frame: pure functions, whole columns at a time.

Whatever the table, a frame has ``symbol`` and ``window_start`` (`expectations.tables.Table.arrow`).

A row check returns how many rows it looked at and a mask of the offending ones; a violation is a row, however many
comparisons fail in it. The others return their violations as rows made for the reader.
"""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd

from expectations import series
from expectations.findings import Facts, Finding, Rows, floats, own, plain, starts
from expectations.limits import TOP, WIDE_PART_OF_MID
from expectations.rule import Check
from expectations.tables import STEP_US, TABLES
from lake.gaps import Known
from lake.windows import DAY_US, micros


def find(check: Check, frame: pd.DataFrame, facts: Facts) -> Finding:
    """Run a check on the rows of one symbol-day, sorted by window_start, with the columns of their table."""
    found = FUNCTIONS[check.function](frame, facts)
    if isinstance(found, Finding):
        return found
    first = np.flatnonzero(found.bad)[:TOP]
    shown = frame.iloc[first][["symbol", "window_start", *check.columns]].assign(
        **{name: values[first] for name, values in found.why.items()}
    )
    rows = [{name: plain(value) for name, value in row.items()} for row in shown.to_dict("records")]
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


def _own_window(frame: pd.DataFrame, _: Facts) -> Rows:
    apart = frame["exchange_open_time"].notna().to_numpy()
    off = apart & (frame["exchange_open_time"] != frame["window_start"]).to_numpy()
    return Rows(len(frame), apart, {"reason": np.where(off, "off the grid", "another candle in the same window")})


def _plausible_spread(frame: pd.DataFrame, facts: Facts) -> Rows:
    quoted, negative, wide, _ = spreads(frame)
    return Rows(int((quoted | negative).sum()), negative | wide if facts["wide_counts"] else negative)


def _consecutive_ids(frame: pd.DataFrame, facts: Facts) -> Rows:
    at = traded(frame, facts["symbol"])
    first = frame["first_trade_id"].to_numpy(dtype="int64", na_value=0)[at]
    last = frame["last_trade_id"].to_numpy(dtype="int64", na_value=0)[at]
    before_all = facts["previous_trade_id"]
    previous = np.concatenate([[first[0] - 1 if before_all is None else before_all], last[:-1]]) if len(at) else last
    expected = previous.astype("int64") + 1
    bad, before, missing = (
        np.zeros(len(frame), dtype=bool),
        np.zeros(len(frame), "int64"),
        np.zeros(len(frame), "int64"),
    )
    known, start_us = Known(facts["never_existed"], facts["numberings"]), starts(frame)[at]
    ended = known.number(start_us + STEP_US[facts["timeframe"]] - 1)
    follows = np.diff(ended, prepend=0) == 0  # a longer bar in which ids start again may have trades of one side alone
    never = known.between(previous, first, start_us)
    before[at], missing[at] = expected - 1, np.where(follows, first - expected - never, 0)
    bad[at] = missing[at] != 0
    return Rows(len(at), bad, {"previous_last_trade_id": before, "missing_trades": missing})


def _parity(_: pd.DataFrame, facts: Facts) -> Finding:
    found = facts["parity"]
    return Finding(found["checked"], found["violations"], found["rows"])


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


def _prices(frame: pd.DataFrame) -> list[np.ndarray]:
    return [floats(frame, name) for name in ("open", "high", "low", "close")]


FUNCTIONS: dict[str, Callable[[pd.DataFrame, Facts], Rows | Finding]] = {
    "columns": _columns,
    "own_symbol": _own_symbol,
    "enclosed": _enclosed,
    "positive": _positive,
    "uncrossed": _uncrossed,
    "priced": _priced,
    "on_grid": _on_grid,
    "own_window": _own_window,
    "no_hole": series.no_hole,
    "plausible_spread": _plausible_spread,
    "consecutive_ids": _consecutive_ids,
    "parity": _parity,
    "steady": series.steady,
    "known": series.known,
    "regular": series.regular,
    "rated": series.rated,
    "plausible_rate": series.plausible_rate,
    "interested": series.interested,
    "positive_interest": series.positive_interest,
}
