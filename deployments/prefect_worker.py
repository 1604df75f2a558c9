"""Prefect's worker as `up` runs it: ``python -m deployments.prefect_worker --pool crypto-lake --name NAME``.

It is ``prefect worker start`` that goes on whatever happens to its server and its log. Prefect 3.8 ends a worker whose
server answers 4xx (at once; so does one whose database cannot be written), or nothing or 5xx for some 90 s at the pace
set here (prefect.utilities.services), or that cannot print what a run says (a full disk). Ended, it ends its runs, and
with them the collector and the lines that it holds in memory. Here it asks again, also for runs that are to be
cancelled, and what cannot be printed is lost.
"""

import io
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from prefect.utilities import services

_until_it_gives_up = services.critical_service_loop


class Lossy(io.FileIO):
    """A file that takes what it is given, whether or not it can be written."""

    def write(self, data: Any, /) -> int:
        """Write what can be written; return that all was."""
        with suppress(OSError):
            super().write(data)
        return memoryview(data).nbytes


def lossy(descriptor: int) -> io.TextIOWrapper:
    """Return a text stream onto a descriptor of this process that never fails."""
    raw = io.BufferedWriter(Lossy(descriptor, "wb", closefd=False))
    return io.TextIOWrapper(raw, encoding="utf-8", errors="replace", write_through=True, line_buffering=True)


async def for_ever(workload: Callable[[], Awaitable[Any]], *given: Any, **named: Any) -> None:
    """Do what a worker does again and again; what it fails with is printed, and ends nothing."""

    async def tried() -> None:
        try:
            await workload()
        except Exception as error:  # of the server, whatever it is: `up` looks after that
            sys.stdout.write(f"the server: {type(error).__name__}: {' '.join(str(error).split())[:300]}\n")

    await _until_it_gives_up(tried, *given, **named)


def outlast_the_server() -> None:
    """Let no loop of this process give up: before anything of Prefect's that has one is imported."""
    services.critical_service_loop = for_ever


if __name__ == "__main__":
    outlast_the_server()
    from prefect.cli import app

    sys.stdout, sys.stderr = lossy(1), lossy(2)
    sys.argv[1:1] = ["worker", "start"]
    sys.exit(app())
