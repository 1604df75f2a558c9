"""Funding rates and open interest of USD-M perpetuals."""

from datetime import UTC, datetime

from prefect import State, flow

from lake import settings
from lake.params import End, LookbackDays, Start, Symbols, recent
from tasks import artifacts, progress
from tasks.derivatives import fetch_derivatives, summary
from tasks.runs import each, ended, named, reported


@flow(flow_run_name=named("derivatives"))
@reported
def derivatives_hour(
    symbols: Symbols | None = None, lookback_days: LookbackDays = 1, start: Start | None = None, end: End | None = None
) -> State:
    """Fetch the funding rates and the 5-minute open interest of USD-M perpetuals that the lake lacks.

    Args:
        symbols: Contracts, such as SOLUSDT. Left out: the pairs of config.yml that have one.
        lookback_days: Without start and end: from UTC midnight that many days ago until now.
        start: Start of the range (UTC), such as 2025-10-21T00:00:00Z.
        end: End of the range (UTC); does not belong to it any more.
    """
    lake, now = settings.load(), datetime.now(UTC)
    names, span = symbols or list(lake.symbols), recent(start, end, lookback_days, now)
    codec = lake.transformer.parquet_compression
    with progress.shown("derivatives") as shown:
        parts = {name: progress.part(shown, number, len(names)) for number, name in enumerate(names)}
        done, failed = each(
            names,
            lambda name: fetch_derivatives(lake.layout, lake.binance, name, span, now, codec, parts[name]),
            shown,
            last=lambda one: not one.served,
        )
    rows = [
        {"symbol": d.symbol, "fundings": d.fundings, "open interest": d.interests, "absent": d.absent, "later": d.left,
         "funding hours later": d.hours_left, "bad zips": d.quarantined, "bad rows": d.refused,
         "differ": d.contradictions, "seconds": round(d.seconds, 2)}
        for d in done if d.known and d.served
    ]  # fmt: skip
    artifacts.table(
        "derivatives-hour", rows, f"USD-M {span}: added; absent at the exchange; to come later; refused; differ"
    )
    what, unknown = summary(done, asked_by_name=symbols is not None)
    return ended(what, failed | unknown, sum(d.fundings + d.interests for d in done))
