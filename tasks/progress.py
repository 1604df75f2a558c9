"""How far a long piece of work has come: an artifact in the Prefect UI, a bar on a terminal, or nothing."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from prefect.context import FlowRunContext

from lake.progress import Progress, quiet

_EVERY_S = 1.0


def part(progress: Progress, number: int, total: int) -> Progress:
    """Return the progress of the ``number``-th (from 0) of ``total`` equal parts of the work."""
    return lambda done, what: progress((number + done) / total, what)


@contextmanager
def shown(what: str) -> Iterator[Progress]:
    """Yield a function that shows progress wherever somebody is looking.

    Args:
        what: The work in two or three words, such as ``transform SOLUSDT``.
    """
    if FlowRunContext.get() is not None:
        yield _artifact(what)
    elif sys.stderr.isatty():
        with _bar(what) as progress:
            yield progress
    else:
        yield quiet


def _artifact(what: str) -> Progress:
    """An update is a request to the server, so at most one a second is sent."""
    from prefect.artifacts import create_progress_artifact, update_progress_artifact

    made = cast(UUID, create_progress_artifact(0.0, description=what))
    last = time.monotonic()

    def progress(done: float, now: str) -> None:
        nonlocal last
        if done >= 1 or time.monotonic() - last >= _EVERY_S:
            last = time.monotonic()
            update_progress_artifact(made, progress=round(100 * done, 1), description=f"{what}: {now}")

    return progress


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        line = bars.add_task(what, total=1.0)

        def progress(done: float, now: str) -> None:
            bars.update(line, completed=done, description=f"{what}: {now}")

        yield progress
