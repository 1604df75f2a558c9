"""Stretches of trade ids that the lake does not hold: ``ledger/gaps/SYMBOL.parquet``, written whole.

A `Hole` is what the ledger sees now: ids between two trades that are held. A `Gap` is what is known about one, a row of
`lake.schemas.GAPS`. The file has the gaps that are settled as `NEVER_EXISTED` (`lake.never_existed`), and the places
where trade ids start again (`NEW_NUMBERING`, see `lake.numbering`): no id is missing there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lake import files
from lake.layout import Layout
from lake.schemas import GAPS, UTC_US
from lake.windows import HOUR_US, Window

NEVER_EXISTED = "never existed"
NEW_NUMBERING = "new numbering"
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Hole:
    """Trade ids, the first and last of them, that nobody holds; and the hours of the trades before and after them.

    Of an hour in which trade ids start again, ``before_hour`` and ``after_hour`` are when its part begins.
    """

    first_id: int
    last_id: int
    before_hour: int
    after_hour: int

    @property
    def hours(self) -> range:
        """The hours that its trades would lie in."""
        return range(self.before_hour - self.before_hour % HOUR_US, self.after_hour + 1, HOUR_US)


@dataclass(frozen=True, order=True)
class Gap:
    """A row of `lake.schemas.GAPS`. Times are the seconds (microseconds since 1970 UTC) of the trades on both sides."""

    first_id: int
    last_id: int
    from_us: int
    to_us: int
    reason: str
    state: str = NEVER_EXISTED

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Its ids and times, without what is said of it."""
        return self.first_id, self.last_id, self.from_us, self.to_us

    @property
    def count(self) -> int:
        """How many ids it has."""
        return self.last_id - self.first_id + 1

    @property
    def hours(self) -> range:
        """The hours that it touches."""
        return range(self.from_us - self.from_us % HOUR_US, self.to_us + 1, HOUR_US)


def never_existed(layout: Layout, symbol: str, window: Window | None = None) -> list[Gap]:
    """Return the gaps of a symbol whose ids never existed, sorted by id; with a window, those that it touches.

    Raises:
        LakeError: the file cannot be read.
    """
    return [
        gap for gap in read(layout, symbol)
        if gap.state == NEVER_EXISTED
        and (window is None or (gap.from_us < window.end_us and gap.to_us >= window.start_us))
    ]  # fmt: skip


def starts(layout: Layout, symbol: str, window: Window | None = None) -> list[int]:
    """Return the seconds with which trade ids start again, in microseconds since 1970 UTC, in order.

    Raises:
        LakeError: the file cannot be read.
    """
    found = (gap.to_us for gap in read(layout, symbol) if gap.state == NEW_NUMBERING)
    return sorted(at for at in found if window is None or window.start_us <= at < window.end_us)


def read(layout: Layout, symbol: str) -> list[Gap]:
    """Return all gaps of a symbol, of every state, sorted by id.

    Raises:
        LakeError: the file cannot be read.
    """
    path = layout.gaps(symbol)
    try:
        with files.parquet(path, "run backfill-binance and transform-hour for its days") as handle:
            rows = GAPS.conform(handle.read())
    except FileNotFoundError:
        return []
    times = (rows[name].cast(pa.int64()).to_pylist() for name in ("from_time", "to_time"))
    texts = (rows[name].to_pylist() for name in ("first_missing_id", "last_missing_id", "reason", "state"))
    first, last, reason, state = texts
    found = [Gap(*row) for row in zip(first, last, *times, reason, state, strict=True)]
    return sorted(found)


def write(layout: Layout, symbol: str, gaps: Iterable[Gap], state: str = NEVER_EXISTED) -> None:
    """Write the gaps of a symbol that have a state in place of those that had it; those of other states stay.

    Call it with the symbol's lock of bars held.
    """
    rows = sorted([*gaps, *(gap for gap in read(layout, symbol) if gap.state != state)])
    columns = {
        "symbol": [symbol] * len(rows),
        "channel": ["trade"] * len(rows),
        "first_missing_id": [gap.first_id for gap in rows],
        "last_missing_id": [gap.last_id for gap in rows],
        "from_time": pa.array([gap.from_us for gap in rows], pa.int64()).cast(UTC_US),
        "to_time": pa.array([gap.to_us for gap in rows], pa.int64()).cast(UTC_US),
        "reason": [gap.reason for gap in rows],
        "state": [gap.state for gap in rows],
        "repaired_from": pa.nulls(len(rows), pa.string()),
    }
    path = layout.gaps(symbol)
    files.sweep(path.parent, path.name)
    files.write_parquet(path, GAPS.conform(pa.table(columns)), "snappy")


@dataclass(frozen=True)
class Known:
    """What explains ids that are not held. Times are in microseconds since 1970 UTC.

    ``never``: the stretches of ids that never existed: first, last, the time of the trade after them; sorted.
    ``starts``: the seconds with which trade ids start again, sorted.
    """

    never: Sequence[tuple[int, int, int]] = ()
    starts: Sequence[int] = ()

    def number(self, at: Ints) -> Ints:
        """Return which numbering each time lies in, the first being 0."""
        return np.searchsorted(np.array(self.starts, np.int64), at, side="right")

    def between(self, low: Ints, high: Ints, at: Ints) -> Ints:
        """Return how many ids between each pair of held ids never existed, in the numbering that a time lies in."""
        count, number = np.zeros(len(at), np.int64), self.number(at)
        found = np.array(list(self.never), np.int64).reshape(-1, 3)
        for which in np.unique(number) if len(found) else ():
            here, ends = number == which, found[self.number(found[:, 2]) == which]
            below = np.concatenate([np.zeros(1, np.int64), np.cumsum(ends[:, 1] - ends[:, 0] + 1)])
            place = [np.searchsorted(ends[:, 1], ids[here]) for ids in (low, high)]
            count[here] = np.maximum(below[place[1]] - below[place[0]], 0)
        return count
