"""Fundings and open interest of one time: which row is kept when there are two.

The rule does not depend on which row came first, so the same answers make the same files in whatever order they come: a
value wins over a 0; then a funding with a mark price (REST) over one without (archive); then the earlier time of a
funding, and the greater value. Rows that differ contradict each other: they are counted and logged.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from loguru import logger

from lake.futures import micros_of
from lake.intervals import Opens
from lake.windows import HOUR_US, MINUTE_US, iso

Floats = npt.NDArray[np.float64]
_SHOWN = 3
"""How many contradictions of one file are logged; all are counted."""


def interests(table: pa.Table) -> tuple[pa.Table, int]:
    """Sort open interest, one row a moment; return it, and of how many moments the rows differ."""
    amounts, values = (table[name].to_numpy() for name in ("open_interest", "open_interest_value"))
    ranks = [(amounts > 0) & (values > 0), amounts, values]
    return _chosen(table, "ts", micros_of(table, "ts"), [amounts, values], ranks)


def paid(table: pa.Table) -> tuple[pa.Table, int]:
    """Sort fundings, one row a funding; return it, and of how many fundings the rates differ.

    REST and archive can name the time of one funding some milliseconds apart: all within a minute of a full hour are
    one.
    """
    at, rates = micros_of(table, "funding_time"), table["funding_rate"].to_numpy()
    marks = table["mark_price"].to_numpy()
    ranks = [rates != 0, ~np.isnan(marks), -at, np.abs(rates), rates, np.nan_to_num(marks)]
    return _chosen(table, "funding_time", _hours(at), [rates], ranks)


def count_paid(table: pa.Table) -> int:
    """Return how many fundings some rows are of."""
    return len(np.unique(_hours(micros_of(table, "funding_time"))))


def _hours(at: Opens) -> Opens:
    """Return the full hour of times that lie within a minute of one, and other times as they are."""
    hours = (at + HOUR_US // 2) // HOUR_US * HOUR_US
    return np.where(np.abs(at - hours) <= MINUTE_US, hours, at)


def _chosen(
    table: pa.Table, time: str, keys: Opens, values: Sequence[Floats], ranks: Sequence[npt.NDArray[Any]]
) -> tuple[pa.Table, int]:  # fmt: skip
    """Take the row of the highest rank of each key, in order; return them, and how many keys have other values, too."""
    order = np.lexsort((*(-rank.astype(np.float64) for rank in reversed(ranks)), keys))
    _, first, which = np.unique(keys[order], return_index=True, return_inverse=True)
    best = order[first]
    losers = np.logical_or.reduce([one[order] != one[best][which] for one in values])
    for kept, other in zip(best[which][losers][:_SHOWN], order[losers][:_SHOWN], strict=True):
        texts = (_shown(table[time][int(row)].as_py(), [one[row] for one in values]) for row in (kept, other))
        logger.warning("{}: rows of one time differ: {} is kept, not {}", table["symbol"][int(kept)], *texts)
    return table.take(pa.array(best)).combine_chunks(), len(np.unique(which[losers]))


def _shown(at: datetime, values: list[float]) -> str:
    return " ".join([iso(at), *(f"{value:.12g}" for value in values)])
