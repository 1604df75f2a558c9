"""Tasks around the exchange's history: its klines."""

from lake import backfill
from lake.backfill import Backfilled, Job, Source
from lake.backfill_plan import Plan
from lake.layout import Layout
from lake.progress import Progress
from lake.sections import Binance
from lake.spot import Info
from tasks.runs import lake_task


@lake_task("ask the exchange", retries=1)
def ask_exchange(layout: Layout, hosts: Binance, symbols: list[str], source: Source) -> Info:
    """Return the exchange's limits, its clock, and the status of some pairs."""
    return backfill.ask(layout, hosts, symbols, source)


@lake_task("plan {job.symbol} {job.interval}", retries=0)
def plan_klines(layout: Layout, hosts: Binance, job: Job, info: Info) -> Plan:
    """Return what would be fetched of one symbol's klines."""
    return backfill.planned(layout, hosts, job, info, info.weight_limit)


@lake_task("fetch {job.symbol} {job.interval}", retries=1)
def fetch_klines(
    layout: Layout, hosts: Binance, job: Job, info: Info, compression: str, progress: Progress
) -> Backfilled:  # fmt: skip
    """Fetch what the lake lacks of one symbol's klines. The requests have retries of their own."""
    return backfill.run(layout, hosts, job, info, compression, progress)
