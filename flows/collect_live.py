"""The collector, as a run that does not end."""

from prefect import State, flow

from collector.run import AlreadyRunningError, collect
from lake import settings
from lake.params import Duration, Symbols
from tasks.runs import already, ended, named, reported


@flow(flow_run_name=named("collect"))
@reported
def collect_live(symbols: Symbols | None = None, duration: Duration | None = None, force: bool = False) -> State:
    """Record trades and best quotes as the exchange sends them, until stopped.

    A second collector on the same lake ends at once and leaves the first alone.

    Args:
        symbols: Pairs, such as SOLUSDT. Left out: those of config.yml.
        duration: Seconds to collect for. Left out: until it is stopped.
        force: Record pairs too that are new to the lake and that the exchange does not list.
    """
    try:
        done = collect(settings.load(), symbols, duration, force)
    except AlreadyRunningError as error:
        return already(str(error))
    return ended(f"{done.trades:,} trades, {done.quotes:,} quotes, {done.parts} parts, {done.seconds:.0f} s", {})
