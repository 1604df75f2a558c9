"""R7: our minutes of a symbol-day beside the exchange's own klines."""

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from expectations import edges
from expectations.day_result import Parity
from expectations.days import SymbolDay
from expectations.limits import TOP, VOLUMES
from expectations.reasons import Ids
from lake import kline_store, minutes
from lake.gaps import Known
from lake.layout import Layout
from lake.minutes import PAIRS
from lake.read import rolled_up
from lake.windows import MINUTE_US, Window, iso, moment

_PROOF = ["symbol", "window_start", "complete"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def of_day(layout: Layout, day: SymbolDay, previous: int | None, known: Known) -> Parity:
    """Compare a symbol-day's complete minutes with the klines that the lake has.

    A kline that opens off the grid covers other seconds than our minute: it is not compared, and counted.

    Args:
        layout: the lake.
        day: bars of 1s or 1m; of seconds, the minutes that lie in the validated part as a whole are compared.
        previous: the last trade id before the day, where it is known.
        known: the trade ids that never existed, and where trade ids start again.

    Raises:
        LakeError: the klines cannot be read.
    """
    candles = kline_store.read(layout, day.symbol, "1m", day.day)
    candles = candles.filter(pc.equal(candles["symbol"], day.symbol))
    if not len(candles) or not len(day.stored):
        return Parity(complete=_complete(_whole(_own(day.stored.select(_PROOF), day.symbol), day.window)))
    stored = _own(day.stored, day.symbol)
    ours = _minutes(_whole(stored, day.window)) if day.tf == "1s" else _own(day.table, day.symbol)
    following = partial(edges.trade_id_after, layout, day.symbol, day.window.end)
    return _compare(ours, candles, Ids(stored, previous, following, known), day.symbol)


def _whole(seconds: pa.Table, window: Window) -> pa.Table:
    """The seconds of the minutes that lie in a window as a whole."""
    start = _us(seconds, "window_start")
    first, end = -(-window.start_us // MINUTE_US), window.end_us // MINUTE_US
    inside = (start >= first * MINUTE_US) & (start < end * MINUTE_US)
    return seconds if inside.all() else seconds.filter(pa.array(inside))


def _complete(seconds: pa.Table) -> int:
    """How many minutes are complete, as the view `bars_1m` has it, without rolling them up."""
    if not len(seconds):
        return 0
    minute = _us(seconds, "window_start") // MINUTE_US
    proved = pc.fill_null(seconds["complete"], False).to_numpy()
    count = np.bincount(minute - minute[0])
    return int(((count == 60) & (np.bincount(minute - minute[0], proved) == 60)).sum())


def _minutes(seconds: pa.Table) -> pa.Table:
    """Roll seconds up; a volume that is no number, which no decimal can hold, makes those of its minute none."""
    minute = _us(seconds, "window_start") // MINUTE_US
    odd = {name: ~(np.abs(_floats(seconds, name)) < 1e24) for name in VOLUMES}
    for name, bad in odd.items():
        if bad.any():
            column = pc.if_else(pa.array(bad), 0.0, seconds[name])
            seconds = seconds.set_column(seconds.column_names.index(name), name, column)
    proved = pc.fill_null(seconds["complete"], False)
    seconds = seconds.set_column(seconds.column_names.index("complete"), "complete", proved)
    found = rolled_up(seconds, "1m")
    for name, bad in odd.items():
        if bad.any():
            mask = np.isin(_us(found, "window_start") // MINUTE_US, minute[bad])
            column = pc.if_else(pa.array(mask), float("nan"), found[name])
            found = found.set_column(found.column_names.index(name), name, column)
    return found


def _compare(ours: pa.Table, candles: pa.Table, ids: Ids, symbol: str) -> Parity:
    found = minutes.compare(ours, candles)
    proved, differs, left, right = found.complete, found.differs, found.ours, found.theirs
    bad = np.flatnonzero(proved & ~found.equal)
    at_us = [int(found.start_us[at]) for at in bad]
    why = [
        ids.reason(us, counts_differ=bool(differs["trade_count"][at])) for us, at in zip(at_us, bad, strict=True)
    ]  # fmt: skip
    largest = np.concatenate([one[proved & np.isfinite(one)] for one in found.off.values()])
    shown = [name for name in PAIRS if differs[name][bad[:TOP]].any()]
    rows = [
        {"symbol": symbol, "window_start": iso(moment(us)), "reason": reason, "missing_ids": missing}
        | {"differs": ", ".join(name for name in PAIRS if differs[name][at])}
        | {k: _number(n, v[n][at]) for n in shown for k, v in ((f"our_{n}", left), (f"kline_{PAIRS[n]}", right))}
        for us, at, (reason, missing) in zip(at_us[:TOP], bad, why, strict=False)
    ]
    return Parity(
        complete=found.our_complete,
        checked=int(proved.sum()),
        off_grid=found.off_grid,
        reasons=dict(sorted(Counter(reason for reason, _ in why).items())),
        rows=tuple(rows),
        largest=float(largest.max()) if len(largest) else None,
        both=len(found.start_us),
        our_trades=int(np.nansum(left["trade_count"])),
        kline_trades=int(np.nansum(right["trade_count"])),
        our_volume=float(np.nansum(left["volume_base"])),
        kline_volume=float(np.nansum(right["volume_base"])),
    )


def _own(table: pa.Table, symbol: str) -> pa.Table:
    mine = pc.fill_null(pc.equal(table["symbol"], symbol), False)
    mine = pc.and_(mine, pc.is_valid(table["window_start"]))
    return table if pc.all(mine).as_py() else table.filter(mine)


def _us(table: pa.Table, name: str) -> Ints:
    found: Ints = table[name].cast(pa.int64()).to_numpy()
    return found


def _floats(table: pa.Table, name: str) -> Floats:
    return table[name].cast(pa.float64(), safe=False).to_numpy().astype(np.float64)


def _number(name: str, value: Any) -> float | int | str | None:
    if np.isnan(value):
        return None
    if np.isinf(value):
        return str(value)
    return int(value) if name == "trade_count" else float(value)
