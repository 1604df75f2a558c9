"""Official klines into the lake: only what is missing, by REST or from the archive, a day at a time.

A day is written when all that it lacks has come, so a killed run loses at most the days it was at, and the next one
goes on there. What the exchange turns out to have none of is noted (`lake.history`) and not asked for again.
"""

import time
from dataclasses import replace

from loguru import logger

from lake import locks, spot
from lake.backfill_job import Backfilled as Backfilled
from lake.backfill_job import Job as Job
from lake.backfill_job import Source as Source
from lake.backfill_known import Known, lacks, listing, survey, unknown
from lake.backfill_plan import Plan, plan
from lake.backfill_run import Run
from lake.history import History
from lake.layout import Layout
from lake.never_existed import reconsider
from lake.progress import Progress, quiet
from lake.sections import Binance
from lake.spot import Info
from lake.web import Web, WebError


def ask(layout: Layout, hosts: Binance, symbols: list[str], source: Source) -> Info:
    """Ask the exchange for its limits and clock. The archive alone does without: then the documented ones are taken.

    Raises:
        WebError: no answer.
    """
    try:
        with spot.connected(layout, hosts.rest_url) as rest:
            return rest.info(symbols)
    except WebError as error:
        if not unknown(error):
            if source != "archive":
                raise
            logger.warning("{}: going on with the archive alone", error)
    return Info()


def planned(layout: Layout, hosts: Binance, job: Job, info: Info, free: int) -> Plan:
    """Return what a run would ask for. Nothing is asked for but the first candle there is, where it is not known yet.

    Raises:
        WebError: no answer.
    """
    now_us = info.now_us()
    with (
        History(layout, job.symbol, job.interval) as history,
        spot.connected(layout, hosts.rest_url) as rest,
    ):
        found = survey(layout, job, history, now_us)
        served = not lacks(found) or listing(rest, history, job, info).served
        return plan(job.interval, found, job.source, Known.noted(history, served=served), free, now_us)


def run(
    layout: Layout, hosts: Binance, job: Job, info: Info, compression: str = "snappy",
    progress: Progress = quiet,
) -> Backfilled:  # fmt: skip
    """Fetch what the lake lacks of a symbol's candles in a window, and write it.

    Holes in the trade ids that 1-minute candles of the window settle make their hours dirty, also those that were there
    before: so a killed run is made up for by the next one.

    Raises:
        LakeError: something could not be fetched or written. What was written before that stays.
    """
    started = time.monotonic()
    with (
        locks.klines(layout, job.symbol, job.interval),
        History(layout, job.symbol, job.interval) as history,
        spot.connected(layout, hosts.rest_url) as rest,
        Web(hosts.archive_url) as web,
    ):
        done = Run(layout, job, info, rest, web, history, compression, progress).all()
    if job.interval == "1m":
        found = reconsider(layout, job.symbol, job.window)
        new, gone = (sum(gap.count for gap in gaps) for gaps in (found.new, found.withdrawn))
        done = replace(done, never_existed=new, withdrawn=gone)
    return replace(done, seconds=round(time.monotonic() - started, 3))
