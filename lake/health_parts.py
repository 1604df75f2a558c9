"""How every part is, judged by the signs of life: the heartbeat. Pure: told the time, and asked nothing of the disk."""

from datetime import datetime
from typing import Any

from lake import health_runs
from lake.health_runs import Lives
from lake.signs import Sign
from lake.windows import iso

PARTS = ("collector", "transformer", "macro_minute", "server", "worker")
"""Those that a heartbeat has always; other flows are below ``flows``."""
STANDING = ("collector", "server", "worker")
"""Parts that do not end by themselves."""
STATUSES = ("starting", "running", "idle", "error", "stopped")
SILENT_AFTER_S = 90
"""Nineteen liquid pairs are never silent for so long: the connection is down, or the wrong one."""
Heartbeat = dict[str, Any]
_COLLECTOR = {"status": "stopped", "last_latency_p50_ms": None, "last_latency_p95_ms": None, "last_seen_ts": None}
_FLOW = {
    "last_run_start": None, "last_run_end": None, "last_error": None, "last_run_rows_written": None,
    "last_duration_s": None, "last_success": None,
}  # fmt: skip


def heartbeat(found: dict[str, Sign], now: datetime, lives: Lives, files: dict[str, int]) -> Heartbeat:
    """Return the heartbeat without its verdict: contract section 8, and more.

    Args:
        found: The sign of each part that has said one.
        now: The present time.
        lives: Whether a process lives, None where that cannot be known.
        files: What is counted of today.
    """
    flows = {name: sign for name, sign in found.items() if name not in STANDING}
    flows |= {name: Sign(name, "stopped", now, None) for name in ("transformer", "macro_minute") if name not in flows}
    up = any(found[name].living(now, lives) for name in STANDING if name in found and found[name].status == "running")
    up = up or any(_runs(sign, now, lives) for sign in flows.values())
    parts = {name: _standing(found.get(name), now, lives) for name in STANDING}
    parts["collector"] = _collector(parts["collector"], now)
    told = {name: _flow(sign, now, lives, up) for name, sign in sorted(flows.items())}
    ordered = {name: parts.get(name) or told.pop(name) for name in PARTS}
    return {"ts_utc": iso(now), **ordered, "flows": told, "files": files}


def _standing(sign: Sign | None, now: datetime, lives: Lives) -> dict[str, Any]:
    if sign is None:
        return {"status": "stopped", "alive": False, "last_error": None}
    status, error = sign.status, sign.fields.get("last_error")
    alive = status == "running" and sign.living(now, lives)
    if status == "running" and not alive:
        status, error = "error", _death(sign, now, lives)
    told = {"last_sign_ts": iso(sign.ts), "last_error": error, "pid": sign.process and sign.process.pid, "alive": alive}
    return {"status": status if status in STATUSES else "error"} | sign.fields | told


def _collector(part: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The collector, which runs once it has received something; what an earlier process received does not count."""
    part = _COLLECTOR | part
    if not part["alive"] or part["last_seen_ts"]:
        return part
    silent_s = silence_s(part, now)
    if silent_s <= SILENT_AFTER_S:
        return part | {"status": "starting"}
    return part | {"status": "error", "last_error": f"has received nothing for {silent_s:,.0f} s"}


def silence_s(collector: dict[str, Any], now: datetime) -> float:
    """Return for how many seconds a collector has received nothing, at most since it was started."""
    since = collector.get("last_seen_ts") or collector.get("started_ts")
    return (now - datetime.fromisoformat(since)).total_seconds() if since else 0.0


def _death(sign: Sign, now: datetime, lives: Lives) -> str:
    if sign.process is not None and lives(sign.process) is False:
        return f"died: process {sign.process.pid} is gone; its last sign of life was at {iso(sign.ts)}"
    return f"no sign of life for {abs(sign.age_s(now)):,.0f} s: it hangs, is gone, or the disk is full"


def _runs(sign: Sign, now: datetime, lives: Lives) -> bool:
    return any(health_runs.living(run, lives, now) for run in health_runs.running(sign.fields))


def _flow(sign: Sign, now: datetime, lives: Lives, up: bool) -> dict[str, Any]:
    told = {name: sign.fields.get(name, absent) for name, absent in _FLOW.items()}
    if _runs(sign, now, lives):
        return {"status": "running", **told}
    if health_runs.running(sign.fields):
        return {"status": "error", **told, "last_error": health_runs.DIED}
    if told["last_error"]:
        return {"status": "error", **told}
    return {"status": "idle" if up and told["last_run_end"] else "stopped", **told}
