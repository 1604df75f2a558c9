"""The collector, as a run that does not end."""

import asyncio

from prefect import flow
from prefect.states import State

from collector.run import collect
from lake import locks, settings
from lake.params import Duration, Symbols
from tasks.runs import already, ended, held, named, reported


@flow(flow_run_name=named("collect"))
@reported
def collect_live(symbols: Symbols | None = None, duration: Duration | None = None) -> State:
    """Record trades and best quotes as the exchange sends them, until stopped.

    A second collector on the same lake ends at once and leaves the first alone.

    Args:
        symbols: Pairs, such as SOLUSDT. Left out: those of config.yml.
        duration: Seconds to collect for. Left out: until the run is cancelled.
    """
    lake = settings.load()
    if held(locks.collector(lake.layout)):
        return already(f"another process collects into {lake.base_path}")
    done = asyncio.run(collect(lake, symbols or list(lake.symbols), duration))
    return ended(
        f"{done.trades:,} trades and {done.quotes:,} quotes in {done.parts} parts, {done.reconnects} reconnects", {}
    )
