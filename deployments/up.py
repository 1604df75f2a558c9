"""`crypto-lake up`, `down` and `status`: one command takes a machine to a running lake, and keeps it running.

What runs is written to ``logs/up.json`` at every change, so that `status` and `down` work from any shell; `down` asks
by a file beside it, as a signal cannot reach another console on Windows. A lock keeps a second `up` out of the same
lake.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import Timeout
from loguru import logger
from rich.console import Console
from rich.live import Live

from deployments import doctor, housekeeping, prefect_stack, system, up_shown
from deployments.processes import Children
from deployments.system import System
from lake import files, locks, log, redaction, settings, signs
from lake.errors import LakeError
from lake.layout import Layout
from lake.windows import iso

TICK_S, WRITE_S, SIGNS_S, REAP_S = 1.0, 5.0, 15.0, 15.0
GENTLE_S = 3.0
"""So long a part is waited for that is told to end: all of them are gone within ten seconds."""
DOWN_S = 30.0
Act = Callable[[], list[str] | None]
SILENT_S = 90.0
"""It writes every five seconds; a server that hangs delays it by some ten."""


def up(ready: Callable[[], None] = lambda: None) -> int:
    """Start everything, keep it alive until Ctrl-C or `down`, then stop it; return the exit code.

    Args:
        ready: Called once, when every part answers.

    Raises:
        LakeError: it is up already.
    """
    found = system.with_ports(settings.load())
    layout, console = found.layout, Console()
    _refuse_a_second(layout)
    told = doctor.before_up(found)
    layout.base.mkdir(parents=True, exist_ok=True)
    lock = locks.up(layout)
    try:
        lock.acquire(timeout=2)  # `status` holds it for a moment
    except Timeout:
        raise _already(layout) from None
    for left in (_asked(layout), _state(layout)):  # by one that was killed
        left.unlink(missing_ok=True)
    log.start(found, console=not console.is_terminal)
    try:
        secrets = redaction.secrets(found)
        own, logs = system.environment(found), layout.logs / "processes"
        with Children(own, logs, prefect_stack.PROJECT, secrets, GENTLE_S) as children:
            parts = System(found, children, housekeeping.errands(found, doctor.outside))
            for line in (*told, *parts.clear()):
                _say(console, line)
            _keep(parts, layout, console, ready)
    finally:
        _state(layout).unlink(missing_ok=True)
        lock.release()
    return 0


def _already(layout: Layout) -> LakeError:
    return LakeError(f"{layout.base}: is up already: crypto-lake status shows it, crypto-lake down stops it")


def _refuse_a_second(layout: Layout) -> None:
    """Before its ports are found taken, by the first one."""
    if locks.is_held(layout, locks.up):
        raise _already(layout)


def _keep(parts: System, layout: Layout, console: Console, ready: Callable[[], None]) -> None:
    live = Live(console=console, refresh_per_second=2) if console.is_terminal else None
    try:
        _say(console, f"starting; Ctrl-C or crypto-lake down stops it; logs are in {layout.logs}")
        with live or nullcontext():
            _watch(parts, layout, console, live, ready)
    except KeyboardInterrupt:
        pass
    finally:
        parts.close()
        _say(console, "stopping")
        parts.stop()
        _say(console, "stopped")


def _watch(parts: System, layout: Layout, console: Console, live: Live | None, ready: Callable[[], None]) -> None:
    """Look at everything again and again, until `down` asks for the end."""
    due = dict.fromkeys(("signs", "reap", "write"), float("-inf"))

    def write() -> None:
        files.write_text(_state(layout), json.dumps(_facts(parts), indent=1) + "\n")

    told_ready, trouble = False, set[Act]()
    while not _asked(layout).exists():
        now, lines = time.monotonic(), parts.tick()
        if now >= due["reap"]:
            due["reap"] = now + REAP_S
            lines += _tried(parts.reap, trouble)
        if now >= due["signs"]:
            due["signs"] = now + SIGNS_S
            lines += _tried(parts.signs, trouble)
        if not told_ready and all(part.up for part in parts.parts):
            told_ready = True
            lines.append("everything is up: " + ", ".join(f"{p.name} {p.where}" for p in parts.parts if p.where))
            ready()
        if lines or now >= due["write"]:
            due["write"] = now + WRITE_S
            lines += _tried(write, trouble)
        for line in lines:
            _say(console, line)
        if live:
            live.update(up_shown.table(_facts(parts)))
        time.sleep(TICK_S)


def _tried(act: Act, trouble: set[Act]) -> list[str]:
    """Do it, and return what it tells. Where it fails it ends nothing: that is told once, and it is tried again."""
    try:
        told = act() or []
    except LakeError as error:
        told = [] if act in trouble else [str(error)]
        trouble.add(act)
    else:
        trouble.discard(act)
    return told


def _say(console: Console, line: str) -> None:
    """In the log; and above the live table, where there is one."""
    logger.info(line)
    if console.is_terminal:
        with suppress(OSError):  # a terminal that was closed
            console.print(f"{datetime.now(UTC):%H:%M:%S} {line}", markup=False, highlight=False)


def down() -> str:
    """Ask the lake that is up to stop, and wait until it has; return what to say. Of one that was killed, end the rest.

    Raises:
        LakeError: nothing of it runs, or it does not stop.
    """
    layout = settings.load().layout
    if _told(layout) is None:
        if system.end_left(layout):
            return "stopped what one that was killed had left"
        raise LakeError(f"{layout.base}: is not up: crypto-lake up starts it")
    files.write_text(_asked(layout), "stop\n")
    with suppress(Timeout), locks.up(layout).acquire(timeout=DOWN_S):
        _asked(layout).unlink(missing_ok=True)
        return "stopped"
    pid = (_told(layout) or {}).get("pid")
    raise LakeError(f"it does not stop within {DOWN_S:.0f} s: end its process {pid}, then crypto-lake down again")


def status() -> dict[str, Any] | None:
    """Return what the lake that is up says of its parts, or None where none is up."""
    return _told(settings.load().layout)


def silent_s(told: dict[str, Any], now: datetime) -> float | None:
    """Return for how many seconds `up` has written nothing, where that is too long: it hangs, and looks at no part."""
    try:
        age = (now - datetime.fromisoformat(told["ts_utc"])).total_seconds()
    except (KeyError, TypeError, ValueError):  # it has only just begun
        return None
    return age if age > SILENT_S else None


def _told(layout: Layout) -> dict[str, Any] | None:
    """What is written of the one that is up; the lock says whether one is, as a killed one leaves its file behind."""
    if not locks.is_held(layout, locks.up):
        return None
    found = signs.json_of(_state(layout)) or {}
    return found if isinstance(found.get("parts"), list) else {"parts": []}


def _facts(parts: System) -> dict[str, Any]:
    return {
        "pid": os.getpid(), "ts_utc": iso(datetime.now(UTC).replace(microsecond=0)),
        "parts": [
            {"name": part.name, "state": part.state, "pid": part.process and part.process.pid,
             "restarts": part.restarts, "where": part.where, "said": part.said}
            for part in parts.parts
        ],
    }  # fmt: skip


def _state(layout: Layout) -> Path:
    return layout.logs / "up.json"


def _asked(layout: Layout) -> Path:
    return layout.logs / "up.stop"
