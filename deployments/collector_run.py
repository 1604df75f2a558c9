"""The collector as `up` sees it: the process that collects, and a run that was ordered."""

from contextlib import suppress
from datetime import UTC, datetime

import psutil

from deployments import started
from deployments.deployed import COLLECTOR
from deployments.ending import end
from deployments.prefect_api import FINAL, Api
from deployments.prefect_stack import POOL
from lake import signs
from lake.errors import LakeError
from lake.layout import Layout

_GENTLE_S = 4.0
"""It closes its parts within a second; on a disk that is full, or slow, later."""


def collecting(layout: Layout, *, silent: bool = False) -> signs.Process | None:
    """Return the process that collects into this lake, here or in another container, or None where none does.

    Args:
        layout: The lake.
        silent: One counts too that is there and has not said so for long: it hangs, or its sign cannot be written.
    """
    sign = signs.read_one(layout, "collector")
    if sign is None or sign.process is None or sign.status != "running":
        return None
    alive = signs.lives(sign.process) if silent else sign.living(datetime.now(UTC), signs.lives)
    return sign.process if alive else None


def stop(layout: Layout) -> None:
    """End the one that an `up` of this lake has started, if there is one; it closes its parts."""
    found = collecting(layout, silent=True)
    if found is not None and found.pid in {one.pid for one in started.by_up(str(layout.base))}:
        with suppress(psutil.NoSuchProcess):
            end({psutil.Process(found.pid)}, _GENTLE_S)


class Ordered:
    """A run of the collector that was ordered: it has ended as soon as its state is final."""

    pid = None

    def __init__(self, api: Api, run: str) -> None:
        """Watch a run."""
        self._api, self._run, self._message = api, run, ""

    @property
    def exit_code(self) -> int | None:
        """None while it may be running."""
        with suppress(LakeError):
            found = self._api.look(self._run)
            self._message = f"{found.state} {found.message}".strip()
            return 1 if found.type in FINAL else None
        return None

    def last_line(self) -> str:
        """Its state's message."""
        return self._message

    def stop(self) -> None:
        """Cancel it."""
        with suppress(LakeError):
            self._api.cancel(self._run)


def order(api: Api, layout: Layout) -> Ordered:
    """Order a run, unless one was just ordered; one that hangs is ended first, as it keeps any other out.

    Raises:
        LakeError: the server does not answer, or somebody's own collector hangs.
    """
    stop(layout)
    if (hangs := collecting(layout, silent=True)) is not None:
        raise LakeError(f"process {hangs.pid}, not started by up, holds the lake and gives no sign of life: end it")
    waiting = api.active(POOL, ("SCHEDULED", "PENDING"))
    deployment = api.deployment(COLLECTOR)
    known = next((run.id for run in waiting if run.deployment_id == deployment), None)
    return Ordered(api, known or api.run(COLLECTOR))
