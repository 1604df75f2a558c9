"""Runs whose process is gone, and that Prefect still takes for running: their slots are freed.

Why they are there: the server or the worker was away when the process ended, or everything was killed at once.
Prefect's own way to find them (an automation on missing heartbeats, `deployments/automations`) takes minutes and
needs events that an outage loses; here the process itself is looked at. Source of the process id: the process worker
notes it as `infrastructure_pid` of each run (prefect.workers.process; without the machine's name, so nothing is ended
while a worker of another machine serves the pool).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil

from deployments.prefect_api import Active, Api

NO_PROCESS = timedelta(minutes=5)
"""A run that was handed to a worker and has had no process for so long will get none."""


@dataclass(frozen=True)
class Reaped:
    """A run that was ended, and why."""

    name: str
    why: str


def reap(api: Api, pool: str, worker: str, now: datetime) -> list[Reaped]:
    """End, as Crashed, the runs of a pool whose process is gone; what they were doing is done anew.

    Args:
        api: The server.
        pool: The work pool.
        worker: Name of this machine's worker.
        now: The present time.

    Raises:
        LakeError: the server does not answer.
    """
    found: list[Reaped] = []
    if api.workers(pool) - {worker}:
        return found
    for run in api.active(pool):
        if why := gone(run, now):
            api.crash(run.id, f"{why}: ended by crypto-lake, so that its slot is free")
            found.append(Reaped(run.name, why))
    return found


def gone(run: Active, now: datetime) -> str | None:
    """Return why a run cannot be alive, or None where it may be."""
    pid = run.infrastructure_pid
    if not pid.isdigit():
        return f"no process was started for it in {NO_PROCESS}" if now - run.changed > NO_PROCESS else None
    try:
        process = psutil.Process(int(pid))
        started = datetime.fromtimestamp(process.create_time(), now.tzinfo)
        if process.status() == psutil.STATUS_ZOMBIE:
            return f"its process {pid} has ended"
    except psutil.NoSuchProcess:
        return f"its process {pid} is gone"
    if run.started is not None and started > run.started + timedelta(seconds=60):
        return f"its process {pid} is gone, and another has the number"
    return None
