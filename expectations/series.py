"""The checks of what runs on in time: missing windows, jumps, fundings, open interest. As `expectations.checks`."""

import numpy as np
import pandas as pd

from expectations import due, fundings
from expectations.findings import Facts, Finding, Rows, floats, own, starts
from expectations.limits import JUMP, NEIGHBOURS_US, RARELY_US, RATE, TOP
from expectations.tables import STEP_US
from lake.windows import HOUR_US, iso, moment


def no_hole(frame: pd.DataFrame, facts: Facts) -> Finding:
    """Find the windows that must be there and are not."""
    wanted = due.windows(facts["due"], facts["timeframe"])
    return _missing(wanted, due.among(wanted, starts(frame)[own(frame, facts["symbol"])], facts["timeframe"]), facts)


def known(_: pd.DataFrame, facts: Facts) -> Finding:
    """Find the hours of which not all fundings are known to be held."""
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
        for hole in (np.split(gone, cuts[:TOP])[:TOP] if len(gone) else ())
    ]
    return Finding(len(wanted), len(gone), rows)


def steady(frame: pd.DataFrame, _: Facts) -> Rows:
    """Find rows whose close has jumped since the row before, at most some minutes ago and so of the same session."""
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


def regular(frame: pd.DataFrame, facts: Facts) -> Rows:
    """Find fundings after a wait that is longer than any contract's, or than the wait before and the one after it."""
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


def rated(frame: pd.DataFrame, _: Facts) -> Rows:
    """Find the fundings without a rate."""
    return Rows(len(frame), np.isnan(floats(frame, "funding_rate")))


def plausible_rate(frame: pd.DataFrame, _: Facts) -> Rows:
    """Find rates that no exchange's cap allows, and mark prices that are none."""
    rate, mark = floats(frame, "funding_rate"), floats(frame, "mark_price")
    return Rows(len(frame), (np.abs(rate) > RATE) | (mark <= 0) | np.isinf(mark))


def interested(frame: pd.DataFrame, _: Facts) -> Rows:
    """Find moments without open interest."""
    return Rows(len(frame), np.logical_or.reduce([np.isnan(one) for one in _interests(frame)]))


def positive_interest(frame: pd.DataFrame, _: Facts) -> Rows:
    """Find open interest that is nought, less, or infinite."""
    return Rows(len(frame), np.logical_or.reduce([(one <= 0) | np.isinf(one) for one in _interests(frame)]))


def _interests(frame: pd.DataFrame) -> list[np.ndarray]:
    return [floats(frame, name) for name in ("open_interest", "open_interest_value")]
