"""Signs of life: what each part of the system last said of itself, one small file a part (``logs/health/parts/``).

A sign names the process it speaks of by id and by start time, so that another process with the same id is no life, and
by the place in which that id means anything: in another container it means another process, and only age tells.
"""

import json
import platform
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

import psutil

from lake import files
from lake.layout import Layout
from lake.windows import iso

YOUNG = timedelta(seconds=60)
"""A part says its sign every 10 to 15 s; older than this it counts no more."""
_SAME_START_S = 5.0  # psutil counts from the boot, whose time moves by a little when the clock is set
_TIMES = {"started_ts", "last_seen_ts", "unwritten_since_ts", "last_run_start", "last_run_end", "last_success"}
_NUMBERS = {
    "last_latency_p50_ms", "last_latency_p95_ms", "last_duration_s", "last_run_rows_written", "trades", "quotes",
    "quarantined", "connections", "waiting",
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]*\.json")
_TRIES = 20  # Windows lets nobody open a file in the moment in which it is replaced


@dataclass(frozen=True)
class Process:
    """A process of some machine or container: id, start (seconds since 1970), and the place where the id holds."""

    pid: int
    started: float
    place: str

    @classmethod
    def of(cls, pid: int | None = None) -> Self | None:
        """Return the process with an id, or this one; None where there is none."""
        try:
            found = psutil.Process(pid)
            return cls(found.pid, found.create_time(), _place())
        except (psutil.Error, ValueError):
            return None

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Return the process that a sign, or a run in it, names.

        Raises:
            KeyError, ValueError, TypeError: it names none.
        """
        return cls(int(found["pid"]), float(found["process_started"]), str(found["place"]))

    def to_json(self) -> dict[str, Any]:
        """Return the keys by which a sign names it."""
        return {"pid": self.pid, "process_started": self.started, "place": self.place}


def lives(process: Process) -> bool | None:
    """Return whether a process lives (a zombie does not), or None where that cannot be known from here."""
    if process.place != _place():
        return None
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.started) < _SAME_START_S
        return same and found.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:  # somebody else's, but there
        return True


@dataclass(frozen=True)
class Sign:
    """What a part said: its status, when, of which process, and what else it has to tell."""

    part: str
    status: str
    ts: datetime
    process: Process | None
    fields: dict[str, Any] = field(default_factory=dict)

    def age_s(self, now: datetime) -> float:
        """Seconds since it was said; negative where clocks disagree."""
        return (now - self.ts).total_seconds()

    def living(self, now: datetime, lives: Callable[[Process], bool | None]) -> bool:
        """Whether the part lives by this sign: said a short while ago by a process that is still there."""
        young = abs(now - self.ts) <= YOUNG
        return young and self.process is not None and lives(self.process) is not False


def write(layout: Layout, sign: Sign) -> None:
    """Replace the sign of a part.

    Raises:
        LakeError: it cannot be written.
    """
    told = {"part": sign.part, "status": sign.status, "ts_utc": iso(sign.ts)}
    told |= (sign.process.to_json() if sign.process else {}) | sign.fields
    files.write_text(path(layout, sign.part), json.dumps(told, indent=1) + "\n")


def path(layout: Layout, part: str) -> Path:
    """Return where the sign of a part lies."""
    return layout.health / "parts" / f"{part}.json"


def read(layout: Layout) -> dict[str, Sign]:
    """Return the sign of every part that ever said one. One that cannot be read is none."""
    folder = layout.health / "parts"
    names = sorted(place.stem for place in folder.iterdir() if _NAME.fullmatch(place.name)) if folder.is_dir() else []
    return {name: sign for name in names if (sign := read_one(layout, name)) is not None}


def read_one(layout: Layout, part: str) -> Sign | None:
    """Return the sign of a part, or None where there is none, or none that can be read."""
    told = json_of(path(layout, part))
    if told is None:
        return None
    with suppress(KeyError, ValueError, TypeError):
        process = Process.from_json(told) if "pid" in told else None
        own = {"part", "status", "ts_utc", "pid", "process_started", "place"}
        fields = {key: value for key, value in told.items() if key not in own}
        if not _sound(fields):
            return None
        return Sign(part, str(told["status"]), datetime.fromisoformat(told["ts_utc"]).astimezone(UTC), process, fields)
    return None


def _sound(fields: dict[str, Any]) -> bool:
    """Whether what a sign tells is of the kinds that it ought to be, so that nobody who reads it stumbles.

    Raises:
        ValueError, TypeError: a time is none.
    """
    runs = fields.get("runs") or []
    if not isinstance(runs, list):
        return False
    times = [fields.get(name) for name in _TIMES] + [run.get("start") for run in runs if isinstance(run, dict)]
    numbers = [fields.get(name) for name in _NUMBERS]
    return all(time is None or datetime.fromisoformat(time).tzinfo is not None for time in times) and all(
        number is None or isinstance(number, int | float) for number in numbers
    )


def json_of(place: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file that is replaced now and then, or None where there is none to be read."""
    for _ in range(_TRIES):
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
        except PermissionError:
            time.sleep(0.01)
        except (OSError, ValueError):
            return None
        else:
            return found if isinstance(found, dict) else None
    return None


@cache
def _place() -> str:
    """The machine's or container's name and, where there is such a thing, its own numbering of processes."""
    try:
        return f"{platform.node()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()
