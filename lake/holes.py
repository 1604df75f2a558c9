"""What a slice lacks, to the second: for those who would rather have no slice than one with holes."""

from collections.abc import Iterable
from typing import Any

import duckdb
import pyarrow as pa

from lake import selections
from lake.errors import BadInputError, LakeError
from lake.intervals import close_us, opens, spans
from lake.layout import Layout
from lake.ranges import Range, gaps, joined
from lake.slices import Slice
from lake.windows import DAY, SECOND_US, Window, micros, moment

_NAMED = 5


def refuse_undefined(wanted: Slice) -> None:
    """Refuse to look for the holes of a source of which nobody knows what there should be.

    Raises:
        BadInputError: the source is macro (Yahoo has no row of a quiet minute) or funding (contracts differ).
    """
    if wanted.source in ("macro", "funding"):
        raise BadInputError(
            f"require_complete: what a complete slice of {wanted.source} would be is not defined: leave it out"
        )


def refuse_bars(layout: Layout, con: duckdb.DuckDBPyConnection, wanted: Slice, days: list[dict[str, Any]]) -> None:
    """Refuse bars unless every second is there and proved complete, and no trade id is missing.

    Args:
        layout: Where the lake is.
        con: A connection that has the macros.
        wanted: The slice.
        days: Its coverage (`lake.selections.coverage`), a row a symbol-day.

    Raises:
        LakeError: naming each symbol's stretches that are not, at most `_NAMED` of them.
    """
    found = []
    for symbol in wanted.symbols:
        mine = [day for day in days if day["symbol"] == symbol]
        stretches = joined(
            stretch for day in mine if day["seconds_complete"] < day["seconds_expected"]
            for stretch in _unproved(layout, con, wanted, day)
        )  # fmt: skip
        found += [f"{symbol} {_shown(one)} ({(one[1] - one[0]) // SECOND_US:,} s)" for one in stretches]
        found += [
            f"{symbol} {day['window_start']:%Y-%m-%d} ({day['trades_missing']:,} trades missing)"
            for day in mine if day["trades_missing"] and not stretches
        ]  # fmt: skip
    _refuse("not proved complete", found, "recover the trades and transform again, or leave require_complete out")


def held(wanted: Slice, klines: pa.Table) -> list[Range]:
    """Return the stretches of time that some klines of one symbol, sorted by time, cover without a gap."""
    times = klines["window_start"].cast(pa.int64()).to_numpy()
    return [(span.first_us, close_us(wanted.tf, span.last_us)) for span in spans(wanted.tf, times)]


def refuse_klines(wanted: Slice, known: dict[str, list[Range]]) -> None:
    """Refuse klines unless each candle that opens in the range is there.

    Args:
        wanted: The slice.
        known: Of each symbol, the stretches that are there (`held`).

    Raises:
        LakeError: naming each symbol's missing candles, at most `_NAMED` stretches of them.
    """
    found = []
    for symbol in wanted.symbols:
        for start, end in gaps(wanted.window.start_us, wanted.window.end_us, known.get(symbol, [])):
            missing = opens(wanted.tf, start, end)
            if len(missing):
                stretch = int(missing[0]), close_us(wanted.tf, int(missing[-1]))
                found.append(f"{symbol} {_shown(stretch)} ({len(missing):,} of {wanted.tf})")
    _refuse("candles missing", found, "run backfill-binance, or leave require_complete out")


def _unproved(
    layout: Layout, con: duckdb.DuckDBPyConnection, wanted: Slice, day: dict[str, Any]
) -> Iterable[Range]:  # fmt: skip
    part = Window(day["window_start"], day["window_start"] + DAY).clip(wanted.whole)
    if part is None:
        return []
    if not day["seconds_complete"]:
        return [(micros(part.start), micros(part.end))]
    rows = selections.unproved(layout, day["symbol"], part).on(con).fetchall()
    return [(int(start), int(end)) for start, end in rows]


def _refuse(what: str, found: list[str], remedy: str) -> None:
    if found:
        more = f", and {len(found) - _NAMED:,} more" if len(found) > _NAMED else ""
        raise LakeError(f"{what}: {', '.join(found[:_NAMED])}{more}: nothing written; {remedy}")


def _shown(stretch: Range) -> str:
    return str(Window(moment(stretch[0]), moment(stretch[1])))
