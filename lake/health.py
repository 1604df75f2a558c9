"""How the system is: said by its parts, put together by whoever lives, for programs and for people.

Each part says its own sign of life (`say`; runs of flows: `lake.health_runs`). `compose` judges them all, and `write`
leaves that in ``logs/health/heartbeat.json`` (contract), ``logs/health/metrics.prom`` and ``reports/health.md``.
Nothing here asks for the time.
"""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import Timeout

from lake import files, health_files, health_metrics, health_parts, health_report, locks, signs
from lake.disk import FULL
from lake.errors import LakeError
from lake.health_parts import Heartbeat
from lake.layout import Layout
from lake.signs import Process, Sign

_LOCK_S = 10


def say(layout: Layout, part: str, status: str, now: datetime, *, pid: int | None = None, **fields: Any) -> None:
    """Say a sign of life of a standing part: collector, server or worker. Said every 10 to 15 s, it is believed for 60.

    Args:
        layout: The lake.
        part: ``collector``, ``server`` or ``worker``.
        status: ``running``; ``stopped`` when it has ended well; ``error``, with ``last_error``.
        now: The present time.
        pid: Id of the process that the sign speaks of. Left out: this one.
        fields: What else the part has to tell, JSON values; they stand in the heartbeat too.

    Raises:
        LakeError: it cannot be written.
    """
    signs.write(layout, Sign(part, status, now, Process.of(pid), fields))


def compose(layout: Layout, now: datetime) -> Heartbeat:
    """Return how every part is, from the signs of life and the processes there are. Nothing is written.

    The keys are contract section 8's and ``server``, ``worker``, ``flows`` (every other flow), ``disk``, ``state``,
    ``exit_code`` and ``problems`` (part, what, remedy).
    """
    said, disk = signs.read(layout), health_files.disk(layout)
    if disk and disk["full"]:
        said = {name: _as_new(sign, now) for name, sign in said.items()}
    found = health_parts.heartbeat(said, now, signs.lives, health_files.today(layout, now.date()))
    return health_report.judged(found | {"disk": disk, "verified": health_files.verified(layout)}, now)


def _as_new(sign: Sign, now: datetime) -> Sign:
    """A sign of a process that is there, as if it were new: on a full disk it may have no room for another one."""
    if sign.process is not None and signs.lives(sign.process):
        return replace(sign, ts=max(sign.ts, now))
    return sign


def write(layout: Layout, now: datetime) -> Heartbeat:
    """Compose, and replace heartbeat, metrics and report, each as a whole whatever happens to the others.

    Returns:
        The heartbeat.

    Raises:
        LakeError: a file cannot be written.
    """
    try:
        with locks.health(layout).acquire(timeout=_LOCK_S):
            found = compose(layout, now)
            texts = {
                layout.heartbeat: json.dumps(found, indent=1, allow_nan=False) + "\n",
                layout.metrics: health_metrics.text(found),
                layout.health_report: health_report.markdown(found),
            }
            if failed := [error for path, text in texts.items() if (error := _replaced(path, text))]:
                raise failed[0]
            return found
    except Timeout:
        raise LakeError(f"{layout.heartbeat}: held by another process for {_LOCK_S} s") from None


def _replaced(path: Path, text: str) -> LakeError | None:
    """Write a file whole; on a full disk in the room of the old one. Return why it could not be written.

    An old page would go on saying HEALTHY, so that where there is no room it is better gone.
    """
    try:
        files.write_text(path, text)
    except LakeError as error:
        if not (isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL):
            return error
        try:
            path.unlink(missing_ok=True)
            files.write_text(path, text)
        except (OSError, LakeError) as again:
            return again if isinstance(again, LakeError) else error
    return None


def read(layout: Layout) -> Heartbeat | None:
    """Return the heartbeat that was last written, or None where there is none that can be read."""
    return signs.json_of(layout.heartbeat)


def metrics(layout: Layout, now: datetime) -> str:
    """Return how every part is, composed anew, in Prometheus' text format."""
    return health_metrics.text(compose(layout, now))
