"""Official klines into the lake."""

from datetime import UTC, datetime

from prefect import State, flow

from lake import settings
from lake.backfill import Backfilled, Job
from lake.params import End, Interval, KlinesSource, LookbackDays, Start, Symbols, recent
from tasks import artifacts, progress
from tasks.history import ask_exchange, fetch_klines, plan_klines
from tasks.runs import each, ended, many, named, reported


@flow(flow_run_name=named("backfill"))
@reported
def backfill_binance(
    symbols: Symbols | None = None,
    lookback_days: LookbackDays = 1,
    interval: Interval = "1m",
    start: Start | None = None,
    end: End | None = None,
    source: KlinesSource = "auto",
    dry_run: bool = False,
) -> State:
    """Fetch the exchange's own klines that the lake lacks; what is there is neither fetched nor written again.

    Candles that REST does not have, such as those before its first one, are looked for in the archive, unless source is
    rest.

    Args:
        symbols: Pairs, such as SOLUSDT. Left out: those of config.yml.
        lookback_days: Without start and end: from UTC midnight that many days ago until now.
        interval: Length of a candle, from 1s to 1M (a month).
        start: First open time (UTC), such as 2025-10-21T00:00:00Z.
        end: End of the open times (UTC); does not belong to the range any more.
        source: rest (the exchange), archive (its daily and monthly zips), or auto (per day what is cheaper).
        dry_run: Only say what would be fetched, and what it costs.
    """
    lake, now = settings.load(), datetime.now(UTC).replace(microsecond=0)
    names, span = symbols or list(lake.symbols), recent(start, end, lookback_days, now)
    jobs = [Job(name, interval, span, source) for name in names]
    info = ask_exchange(lake.layout, lake.binance, names, source)
    if dry_run:
        plans = [plan_klines(lake.layout, lake.binance, job, info) for job in jobs]
        rows = [
            {"symbol": job.symbol, "candles": p.candles, "requests": p.requests, "weight": p.weight,
             "zips": len(p.days), "perhaps": p.perhaps, "about (s)": round(p.seconds(info), 1)}
            for job, p in zip(jobs, plans, strict=True)
        ]  # fmt: skip
        artifacts.table("backfill-binance-plan", rows, "What would be fetched, and its cost")
        total, seconds = sum(p.candles for p in plans), sum(p.seconds(info) for p in plans)
        perhaps = sum(p.perhaps for p in plans)
        more = f", and up to {perhaps:,} that the archive is looked through for" if perhaps else ""
        return ended(
            f"dry run: {total:,} candles of {interval} in {span}{more}, about {seconds:,.0f} s; nothing fetched", {}
        )
    codec = lake.transformer.parquet_compression
    with progress.shown("backfill") as shown:
        parts = {job: progress.part(shown, number, len(jobs)) for number, job in enumerate(jobs)}
        done, failed = each(
            jobs, lambda job: fetch_klines(lake.layout, lake.binance, job, info, codec, parts[job]), shown
        )
    rows = [
        {"symbol": b.symbol, "candles": b.added, "archive": b.archived, "absent": b.absent, "missing": b.left}
        | {name: getattr(b, field) for field, name in _SELDOM.items() if any(getattr(one, field) for one in done)}
        | {"seconds": round(b.seconds, 2)}
        for b in done
    ]
    artifacts.table(
        "backfill-binance",
        rows,
        f"Klines of {interval} in {span}: fetched, of these from the archive; absent at the exchange; still missing",
    )
    added = sum(b.added for b in done)
    return ended(f"{added:,} candles of {interval}, {many(len(done), 'symbol')}{_remarks(done)}", failed, added)


_SELDOM = {
    "off_grid": "off grid",
    "unavailable": "unavailable",
    "rows": "rows refused",
    "quarantined": "zips refused",
    "imperfect": "zips imperfect",
    "revised": "revised",
}
"""Counts that have a column of their own only where there is something to count."""
_REMARKS = {
    "off_grid": ("", "off the grid (stored at the window in which they open)"),
    "absent": ("", "absent at the exchange"),
    "unavailable": ("", "not available"),
    "left": ("", "still missing"),
    "revised": ("", "revised"),
    "rows": ("row", "refused (see the quarantine)"),
    "quarantined": ("zip", "refused (see the quarantine)"),
    "imperfect": ("zip", "imperfect but believed (see the log)"),
}


def _remarks(done: list[Backfilled]) -> str:
    """What a reader must know beside the number of candles."""
    counts = {field: sum(getattr(b, field) for b in done) for field in _REMARKS}
    parts = ((many(counts[field], noun) if noun else f"{counts[field]:,}", what, counts[field])
            for field, (noun, what) in _REMARKS.items())  # fmt: skip
    return "".join(f", {how_many} {what}" for how_many, what, count in parts if count)
