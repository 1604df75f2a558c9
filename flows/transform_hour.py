"""Raw parts to 1-second bars."""

from prefect import State, flow

from lake import settings
from lake.params import End, Start, Symbols, window
from tasks import artifacts, progress
from tasks.bars import build_bars, find_dirty
from tasks.runs import contradicted, each, ended, many, named, reported, settled, unknown

_ODD = {
    "kept": "hours kept as they are",
    "damaged": "damaged files set aside in quarantine/damaged",
}


@flow(flow_run_name=named("transform"))
@reported
def transform_hour(symbols: Symbols | None = None, start: Start | None = None, end: End | None = None) -> State:
    """Build the 1-second bars of every hour whose raw input has changed since its bars were written.

    Args:
        symbols: Pairs, such as SOLUSDT. Left out: every symbol with something to build.
        start: First moment (UTC), such as 2025-10-21T00:00:00Z. With start and end, every hour that the range touches
            is built anew, changed or not.
        end: End (UTC), such as 2025-10-22T00:00:00Z; does not belong to the range any more.
    """
    lake, span = settings.load(), window(start, end)
    strange = unknown(symbols, lake.layout.raw_symbols(), "has no raw parts: collect or import it first")
    dirty = find_dirty(lake.layout, symbols, span)
    if not dirty:
        return ended("nothing to build: no raw input has changed", strange, 0)
    with progress.shown("transform") as shown:
        built, failed = each(
            dirty, lambda symbol: build_bars(lake.layout, symbol, span, lake.transformer.parquet_compression), shown
        )
    rows = [
        {"symbol": b.symbol, "hours": b.hours, "rows": b.rows, "gaps (s)": b.missing, "quarantined": b.quarantined,
         "hours kept": b.kept, "damaged": b.damaged, "hours lost": b.lost, "ids never existed": b.never_existed,
         "ids start again": b.numberings, "contradictions": b.contradictions, "seconds": round(b.seconds, 2)}
        for b in built
    ]  # fmt: skip
    failed |= {b.symbol: f"{b.lost} hours are lost with their raw parts: restore a backup" for b in built if b.lost}
    artifacts.table("transform-hour", rows, "Bars built, seconds missing between the first and the last, time taken")
    total, gaps = sum(b.rows for b in built), sum(b.missing for b in built)
    bad = sum(b.quarantined for b in built)
    refused = f", {many(bad, 'raw line')} refused (see the quarantine)" if bad else ""
    sums = {what: sum(getattr(b, name) for b in built) for name, what in _ODD.items()}
    odd = refused + "".join(f", {count:,} {what}" for what, count in sums.items() if count)
    ids = settled(sum(b.never_existed for b in built), sum(b.withdrawn for b in built))
    again = contradicted(sum(b.numberings for b in built), sum(b.contradictions for b in built))
    what = f"{total:,} bars of {many(len(built), 'symbol')}, {gaps:,} seconds missing{odd}{ids}{again}"
    return ended(what, strange | failed, total)
