"""The exchange's rows judged one by one: which are candles, and of which window of the grid; pure.

The exchange's own files and answers have had rows twice, rows of another day, other units of time, and for hours on end
candles that open some seconds after the minute (binance-public-data issues 14, 77, 191, 479). The rules:

- A time is in milliseconds or microseconds, whichever gives a plausible year; each time for itself.
- A candle belongs to the window of the interval's grid in which it opens.
- Identical rows count once. Rows of one open time that differ are refused, all of them: nobody knows which is right.
- Of two candles in one window the one that covers more of it is taken, the earlier one where both cover as much.
- A row that cannot be a candle is refused with its reason. Its window is *unsettled*: not known to be empty.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lake.errors import LakeError
from lake.intervals import Interval, Opens, close_us, ends, floors
from lake.schemas import KLINES, UTC_US
from lake.windows import Window, micros, parse_time

FIELDS = 12
TIMES = (0, 6)
"""Fields of a row that are times: open and close. The last field has no meaning."""
OTHER_DAY = "it is not of this file's day or month"
_FIRST_US, _LAST_US = (micros(parse_time(day)) for day in ("2010-01-01", "2100-01-01"))
_MS_US = 1000
_VALUES = (1, 2, 3, 4, 5, 7, 8, 9, 10)
_HIGH, _LOW, _TRADES = 2, 3, 8
_NONE = np.empty(0, np.int64)
Mask = npt.NDArray[np.bool_]
Lines = Callable[[Sequence[int]], list[str]]
"""Returns the text of some rows, by their numbers."""


@dataclass(frozen=True)
class Refused:
    """One row that is not stored: its number in the file or answer, why, and its text.

    ``window_us`` is the open time of its window, -1 where that is not known.
    """

    row: int
    reason: str
    line: str
    window_us: int


@dataclass(frozen=True)
class Judged:
    """What some rows are.

    Attributes:
        table: Candles as `lake.schemas.KLINES`, one a window, in order.
        refused: The rows that are not in it, but for identical ones.
        unsettled: Open times of windows of which a row was refused and that are not in the table either.
        repeated: How many identical rows were left out.
        ordered: Whether the rows came in the order of time.
        dated: Whether the window of every refused row is known.
        units: The units of time found, in microseconds.
    """

    table: pa.Table
    refused: tuple[Refused, ...] = ()
    unsettled: Opens = field(default_factory=_NONE.copy)
    repeated: int = 0
    ordered: bool = True
    dated: bool = True
    units: frozenset[int] = frozenset()

    @property
    def opens(self) -> Opens:
        """The open times of the table."""
        return open_times(self.table)

    def without(self, unfinished: Mask) -> "Judged":
        """Return it without some candles of the table, whose windows are unsettled then."""
        if not unfinished.any():
            return self
        unsettled = np.union1d(self.unsettled, self.opens[unfinished])
        return replace(self, table=self.table.filter(pa.array(~unfinished)), unsettled=unsettled)


def open_times(table: pa.Table) -> Opens:
    """Return a table's open times in microseconds."""
    found: Opens = table["open_time"].cast(pa.int64()).to_numpy()
    return found


def close_times(table: pa.Table) -> Opens:
    """Return a table's close times in microseconds."""
    found: Opens = table["close_time"].cast(pa.int64()).to_numpy()
    return found


def off_grid(table: pa.Table) -> int:
    """Return how many candles of a table open off their interval's grid."""
    return pc.sum(pc.not_equal(table["exchange_open_time"], table["open_time"])).as_py() or 0


def from_rest(symbol: str, interval: Interval, rows: Sequence[Any]) -> Judged:
    """Judge the rows of REST's answer.

    Args:
        symbol: The pair.
        interval: Length of a candle.
        rows: openTime, open, high, low, close, volume, closeTime, quoteVolume, trades, takerBuyBase, takerBuyQuote and
            a field without meaning; times in milliseconds, prices and volumes as decimal text. Source: rest-api.md,
            "Kline/Candlestick data".

    Raises:
        LakeError: a row is not a list of twelve fields, or a field is of another type.
    """
    if odd := [row for row in rows if not isinstance(row, list) or len(row) != FIELDS]:
        raise LakeError(f"klines of {symbol}: a row is {str(odd[0])[:80]!r}, expected a list of {FIELDS} fields")
    try:
        columns = list(zip(*rows, strict=True)) or [()] * FIELDS
        kinds = (pa.int64() if at in (*TIMES, _TRADES) else pa.string() for at in range(FIELDS))
        arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        if any(array.null_count for array in arrays):
            raise LakeError(f"klines of {symbol}: a field is null, expected numbers and decimal texts")
        numbers = [array.cast(pa.float64()) if pa.types.is_string(array.type) else array for array in arrays]
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise LakeError(f"klines of {symbol}: a field is not as documented ({str(error)[:120]})") from error
    as_numpy = [one.to_numpy(zero_copy_only=False) for one in numbers]
    return judge(symbol, interval, as_numpy, lambda chosen: [json.dumps(rows[at]) for at in chosen])


def judge(
    symbol: str, interval: Interval, columns: Sequence[npt.NDArray[Any]], lines: Lines, window: Window | None = None
) -> Judged:  # fmt: skip
    """Judge rows that have been read as numbers.

    Args:
        symbol: The pair.
        interval: Length of a candle.
        columns: The twelve of `from_rest`, in order, as integers or doubles. A field that could not be read is NaN.
        lines: The text of some rows: of those that are refused.
        window: The windows that the rows may belong to; None: any.
    """
    (opened, unit), (closed, other) = (_times(columns[at]) for at in TIMES)
    closed = closed // _MS_US * _MS_US  # the archive's last microsecond (…999999) is the end of the same candle
    values = {at: np.asarray(columns[at], np.float64) for at in _VALUES}
    slots = floors(interval, opened)
    why = np.zeros(len(opened), np.int8)
    _mark(why, 1, *(~np.isfinite(column) for column in values.values()), np.floor(values[_TRADES]) != values[_TRADES])
    _mark(why, 2, opened < 0, closed < 0)
    _mark(why, 3, closed <= opened)
    _mark(why, 4, *(column < 0 for column in values.values()))
    _mark(why, 5, values[_HIGH] < values[_LOW])
    until = ends(interval, slots)
    _mark(why, 9, closed + _MS_US - opened > until - slots)
    if window is not None:
        _mark(why, 6, slots < window.start_us, slots >= window.end_us)
    ordered = bool((np.diff(opened[opened >= 0]) >= 0).all())
    rows = np.flatnonzero(why == 0)
    rows, repeated = _each_once(rows[np.argsort(opened[rows], kind="stable")], opened, closed, values, why)
    covered = np.minimum(closed + _MS_US, until) - opened
    rows = rows[np.lexsort((opened[rows], -covered[rows], slots[rows]))]
    again = np.flatnonzero(slots[rows][1:] == slots[rows][:-1]) + 1
    why[rows[again]] = 8
    apart = (opened != slots) | np.isin(slots, slots[rows[again]])
    rows = np.delete(rows, again)
    bad = np.flatnonzero(why)
    known = bad[(opened[bad] >= 0) & (why[bad] != 6)]
    taken = [column[rows] for column in values.values()]
    return Judged(
        table=_table(symbol, slots[rows], opened[rows], apart[rows], closed[rows], taken),
        refused=tuple(
            Refused(row, _REASONS[int(why[row])], line, int(slots[row]) if opened[row] >= 0 else -1)
            for row, line in zip(bad.tolist(), lines(bad.tolist()) if len(bad) else [], strict=True)
        ),
        unsettled=np.setdiff1d(slots[known], slots[rows]),
        repeated=repeated,
        ordered=ordered,
        dated=bool((opened[bad] >= 0).all()),
        units=frozenset(np.unique([*unit, *other]).tolist()) - {0},
    )


_REASONS = {
    1: "a field is not a finite number",
    2: "a time is of no plausible year, in milliseconds or microseconds",
    3: "it closes before it opens",
    4: "a price, volume or count is negative",
    5: "its high is below its low",
    6: OTHER_DAY,
    7: "another row of the same open time contradicts it",
    8: "another candle covers more of the same window of the grid",
    9: "it is longer than its interval",
}


def _mark(why: npt.NDArray[np.int8], reason: int, *bad: Mask) -> None:
    """Note why rows are refused; the first reason that is found counts."""
    for mask in bad:
        why[mask & (why == 0)] = reason


def _times(column: npt.NDArray[Any]) -> tuple[Opens, Opens]:
    """Return times in microseconds, -1 where they are of no plausible year, and the unit of each."""
    if column.dtype.kind == "f":
        column = np.where((np.floor(column) == column) & (np.abs(column) < 2**62), column, -1)
    given: Opens = column.astype(np.int64)
    ms = (given >= _FIRST_US // _MS_US) & (given < _LAST_US // _MS_US)
    us = (given >= _FIRST_US) & (given < _LAST_US)
    unit = np.where(ms, _MS_US, np.where(us, 1, 0))
    return np.where(unit > 0, given * unit, -1), unit


def _each_once(
    rows: Opens, opened: Opens, closed: Opens, values: Mapping[int, npt.NDArray[np.float64]],
    why: npt.NDArray[np.int8],
) -> tuple[Opens, int]:  # fmt: skip
    """Return rows, which are in the order of time, without those that repeat one before; refuse contradicting ones."""
    left, right = rows[:-1], rows[1:]
    again = opened[right] == opened[left]
    if not again.any():
        return rows, 0
    same = np.logical_and.reduce([column[right] == column[left] for column in (closed, *values.values())])
    group = np.concatenate([[0], np.cumsum(~again)])
    contradicting = np.isin(group, group[1:][again & ~same])
    why[rows[contradicting]] = 7
    first = np.concatenate([[True], ~again])
    return rows[first & ~contradicting], int((~first & ~contradicting).sum())


def _table(
    symbol: str, slots: Opens, opened: Opens, apart: Mask, closed: Opens, values: list[npt.NDArray[np.float64]]
) -> pa.Table:  # fmt: skip
    prices_and_volume, (quote, trades, *takers) = values[:5], values[5:]
    columns = [
        pa.array([symbol] * len(slots), pa.string()), pa.array(slots).cast(UTC_US), *map(pa.array, prices_and_volume),
        pa.array(closed).cast(UTC_US), pa.array(quote), pa.array(trades.astype(np.int64)), *map(pa.array, takers),
        pa.array(opened, pa.int64(), mask=~apart).cast(UTC_US),
    ]  # fmt: skip
    return KLINES.conform(pa.table(columns, names=KLINES.names))


def settled(judged: Judged, interval: Interval, *, full: bool) -> Judged:
    """Return an answer without its last candle where it was full and another of the same window may come after it."""
    if not full or not len(judged.table):
        return judged
    last = int(judged.opens[-1])
    if int(close_times(judged.table)[-1]) >= close_us(interval, last) - _MS_US:
        return judged
    return judged.without(judged.opens == last)
