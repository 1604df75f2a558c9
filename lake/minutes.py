"""Our minutes beside the exchange's own 1-minute klines: which columns are compared, and which minutes differ."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WITHIN = 1e-9
"""So much, as part of the larger, may a volume differ from the kline's: ours are rounded once from the exact sum."""

EXACT = {"open": "open", "high": "high", "low": "low", "close": "close", "trade_count": "trades"}
VOLUMES = {
    "volume_base": "volume",
    "volume_quote": "quote_volume",
    "taker_buy_base": "taker_base_vol",
    "taker_buy_quote": "taker_quote_vol",
}
"""Columns of ours that are compared, and what a kline calls them: equal, and within `WITHIN`."""
PAIRS = {**EXACT, **VOLUMES}


@dataclass(frozen=True)
class Compared:
    """The minutes that both sides have, in order of time.

    Attributes:
        start_us: when each begins, microseconds since 1970 UTC.
        complete: whether ours is proved complete.
        ours: our values, by our name of the column.
        theirs: the kline's values, by our name of the column.
        off: by how much each volume differs, as part of the larger.
        differs: by column, whether the two are not equal.
        our_complete: how many of our minutes are complete, with a kline or without.
        off_grid: how many of these have a kline that opens off the grid: it covers other seconds, and is not compared.
    """

    start_us: Ints
    complete: Bools
    ours: dict[str, Floats]
    theirs: dict[str, Floats]
    off: dict[str, Floats]
    differs: dict[str, Bools]
    our_complete: int
    off_grid: int

    @property
    def equal(self) -> Bools:
        """Whether each minute equals its kline in every column."""
        found: Bools = ~np.logical_or.reduce(list(self.differs.values()))
        return found


def compare(ours: pa.Table, candles: pa.Table) -> Compared:
    """Compare minutes of ours (`lake.schemas.BARS`, sorted) with klines (`lake.schemas.KLINES`, sorted) of one symbol.

    Of a minute that one side has twice, the first counts.
    """
    our_start, index = np.unique(micros_of(ours["window_start"]), return_index=True)
    ours = ours.take(pa.array(index))
    like, unlike = (candles.filter(test(candles["exchange_open_time"])) for test in (pc.is_null, pc.is_valid))
    both, mine, theirs = np.intersect1d(our_start, micros_of(like["open_time"]), return_indices=True)
    left = {name: _floats(ours[name])[mine] for name in PAIRS}
    right = {name: _floats(like[kline])[theirs] for name, kline in PAIRS.items()}
    off = {name: _relative(left[name], right[name]) for name in VOLUMES}
    differs = {name: ~(left[name] == right[name]) for name in EXACT} | {n: ~(off[n] <= WITHIN) for n in VOLUMES}
    complete = pc.fill_null(ours["complete"], False).to_numpy()
    off_grid = int(complete[np.isin(our_start, micros_of(unlike["open_time"]))].sum())
    return Compared(both, complete[mine], left, right, off, differs, int(complete.sum()), off_grid)


def micros_of(column: pa.ChunkedArray) -> Ints:
    """Return a column of times in microseconds since 1970 UTC."""
    found: Ints = column.cast(pa.int64()).to_numpy()
    return found


def _floats(column: pa.ChunkedArray) -> Floats:
    found: Floats = column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    return found


def _relative(left: Floats, right: Floats) -> Floats:
    """The difference as part of the larger of the two; two zeros do not differ."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(left == right, 0.0, np.abs(left - right) / np.maximum(np.abs(left), np.abs(right)))
