"""Prefect's worker as `up` and the demo run it: ``python -m deployments.prefect_worker --pool crypto-lake``.

It is ``prefect worker start`` with one change. Prefect's own ends when the server has not answered for a minute and a
half, or has answered with errors (its database is away), and ends its runs with it; one of them is the collector, which
needs no server. This one asks for as long as it takes, also for runs that are to be cancelled
(`prefect.utilities.services`: all of its loops give up, by a RuntimeError).
"""

import sys
from typing import Any

import anyio
import httpx
from prefect.utilities import services

_until_it_gives_up = services.critical_service_loop


async def _lasting(workload: Any, interval: float, **options: Any) -> None:
    """Do what Prefect's loop does, and begin anew where it gives up."""
    while True:
        try:
            return await _until_it_gives_up(workload, interval, **options)
        except (RuntimeError, httpx.HTTPStatusError) as error:
            sys.stderr.write(f"{workload.__name__}: {error} Asked again in {interval:.0f} s.\n")
            await anyio.sleep(interval)


def outlast_the_server() -> None:
    """Let no loop of this process give up: before anything of Prefect's that has one is imported."""
    services.critical_service_loop = _lasting


if __name__ == "__main__":
    outlast_the_server()
    from prefect.cli import app

    sys.argv[1:1] = ["worker", "start"]
    sys.exit(app())
