"""What is known around a day's fundings: which stretches the lake has whole, and the fundings before and after.

How often a contract pays (every 8, 4, 2 or 1 hours) changes and is written nowhere, so the rows of a day alone cannot
tell whether one is missing. The store notes of which stretches it has all (`lake.derivatives_store.whole`).
"""

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations.lenient import load
from expectations.tables import Table
from lake import derivatives_store
from lake.layout import Layout
from lake.ranges import Range
from lake.windows import DAY, DAY_US, Window

_AROUND = 2
"""Days before and after a day whose fundings are looked at: five of a contract that pays every 8 hours."""


def facts(layout: Layout, of: Table, symbol: str, day: date) -> dict[str, Any]:
    """Return ``held``, the ranges (µs) of which all fundings are held, and ``around``, the times of those near by."""
    start = Window.of_day(day).start_us
    near = (start - _AROUND * DAY_US, start + (_AROUND + 1) * DAY_US)
    years = sorted({(day - _AROUND * DAY).year, (day + _AROUND * DAY).year})
    whole = [one for year in years for one in derivatives_store.whole(layout, symbol, year)]
    return {
        "held": [[max(low, near[0]), min(high, near[1])] for low, high in whole if low < near[1] and high > near[0]],
        "around": sorted(at for year in years for at in _times(layout, of, symbol, year) if near[0] <= at < near[1]),
    }


def held(hours: npt.NDArray[np.int64], ranges: list[Range]) -> npt.NDArray[np.bool_]:
    """Return which hours (their start, µs) lie in a range, but for the minute in which a funding is still awaited."""
    found = np.zeros(len(hours), dtype=bool)
    for low, high in ranges:
        found |= (hours >= low) & (hours < high)
    return found


def _times(layout: Layout, of: Table, symbol: str, year: int) -> list[int]:
    path = layout.funding_file(symbol, year)
    if not path.exists():
        return []
    table = load(path, of, {})
    own = table.filter(pc.equal(table["symbol"], symbol))
    found: list[int] = own["window_start"].drop_null().cast(pa.int64()).to_pylist()
    return found
