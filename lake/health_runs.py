"""The runs of a flow, in the flow's sign of life: which run now, and how the last one ended.

Several may run at once, each in a process of its own; all of them are told in one sign, changed under a lock.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from filelock import Timeout

from lake import locks, signs
from lake.errors import LakeError
from lake.layout import Layout
from lake.signs import Process, Sign
from lake.windows import iso

PARTS = {"transform_hour": "transformer"}
"""Flows whose part of the heartbeat has another name."""
DIED = "its process died in the middle of a run"
_LOCK_S = 10
_MOST_CHARACTERS = 500
Fields = dict[str, Any]
Lives = Callable[[Process], bool | None]


def begin(layout: Layout, part: str, now: datetime) -> str:
    """Note that a run of this process begins; return what it is called from now on.

    Raises:
        LakeError: it cannot be written.
    """
    name = uuid.uuid4().hex[:12]
    run = {"id": name, "start": iso(now), "ts_utc": iso(now)}
    _change(layout, part, now, lambda fields, process: begun(fields, run | process.to_json(), signs.lives, now))
    return name


def beat(layout: Layout, part: str, name: str, now: datetime) -> None:
    """Note that a run is still at work.

    Raises:
        LakeError: it cannot be written.
    """
    _change(layout, part, now, lambda fields, process: seen(fields, name, process, now))


def end(layout: Layout, part: str, name: str, now: datetime, rows: int | None, error: str | None) -> None:
    """Note that a run has ended: well, with the rows it wrote, or with an error.

    Raises:
        LakeError: it cannot be written.
    """
    _change(layout, part, now, lambda fields, _: over(fields, name, now, rows, error))


def drop(layout: Layout, part: str, name: str, now: datetime) -> None:
    """Forget a run that did not come to do anything: bad input, or interrupted by whoever began it.

    Raises:
        LakeError: it cannot be written.
    """
    _change(layout, part, now, lambda fields, _: fields | {"runs": _without(fields, name)})


def begun(fields: Fields, run: Fields, lives: Lives, now: datetime) -> Fields:
    """Return the fields with a run more. Runs whose process has died are over, and their death is told."""
    alive = [one for one in running(fields) if living(one, lives, now)]
    died = len(alive) < len(running(fields))
    error = {"last_error": DIED, "last_run_end": iso(now)} if died else {}
    return fields | error | {"runs": [*alive, run], "last_run_start": run["start"]}


def seen(fields: Fields, name: str, process: Process, now: datetime) -> Fields:
    """Return the fields with a fresh sign of life of one run."""
    fresh = {"ts_utc": iso(now), **process.to_json()}
    return fields | {"runs": [one | fresh if one["id"] == name else one for one in running(fields)]}


def over(fields: Fields, name: str, now: datetime, rows: int | None, error: str | None) -> Fields:
    """Return the fields with one run less, and how it ended."""
    start = next((one["start"] for one in running(fields) if one["id"] == name), iso(now))
    ended: Fields = {
        "runs": _without(fields, name), "last_run_start": start, "last_run_end": iso(now),
        "last_duration_s": round((now - datetime.fromisoformat(start)).total_seconds(), 3),
        "last_run_rows_written": rows, "last_error": error and " ".join(error.split())[:_MOST_CHARACTERS],
    }  # fmt: skip
    return fields | ended | ({} if error else {"last_success": iso(now)})


def running(fields: Fields) -> list[Fields]:
    """Return the runs that have begun and not ended, the dead ones too."""
    return [one for one in fields.get("runs") or () if isinstance(one, dict) and {"id", "start", "ts_utc"} <= set(one)]


def living(run: Fields, lives: Lives, now: datetime) -> bool:
    """Whether the process of a run lives; in another container, whether it said so a short while ago."""
    try:
        found = lives(Process.from_json(run))
        young = abs(now - datetime.fromisoformat(run["ts_utc"])) <= signs.YOUNG
    except (KeyError, ValueError, TypeError):
        return False
    return young if found is None else found


def _without(fields: Fields, name: str) -> list[Fields]:
    return [one for one in running(fields) if one["id"] != name]


def _change(layout: Layout, part: str, now: datetime, change: Callable[[Fields, Process], Fields]) -> None:
    process = Process.of()
    if process is None:
        return
    try:
        with locks.health(layout, part).acquire(timeout=_LOCK_S):
            before = signs.read_one(layout, part)
            fields = change(before.fields if before else {}, process)
            status = "running" if fields.get("runs") else "error" if fields.get("last_error") else "idle"
            signs.write(layout, Sign(part, status, now, process, fields))
    except Timeout:
        raise LakeError(f"{part}: its sign of life is held by another process for {_LOCK_S} s") from None
