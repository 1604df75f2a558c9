"""What a lake that runs for months needs now and then: done by `up` at its start and once a day, or by hand.

Logs of processes are set aside and old ones go (`deployments.process_logs`); what killed processes left is taken away,
and raw parts they left open are taken over (`lake.leftovers`); runs whose process is gone are ended, where Prefect's
server answers (`deployments.reaper`); and what was verified longest ago is compared with its checksums (`lake.scrub`).
Done elsewhere: the lake's own logs (`lake.log`), pages of old validations (each
validation), and Prefect's database, which its own vacuum service prunes (`system.environment`).
"""

from collections.abc import Callable
from datetime import UTC, datetime

from filelock import Timeout

from deployments import process_logs, system
from deployments.errands import Errand
from deployments.prefect_stack import POOL
from deployments.reaper import reap
from lake import leftovers, locks, scrub
from lake.errors import LakeError
from lake.layout import Layout
from lake.settings import Settings

DAY_S, LOGS_S = 86_400.0, 600.0
VERIFY_S = 600.0
"""Most that a day's verification takes. Ten minutes are 200 GB on a laptop's disk; a larger lake takes some days."""


def housekeeping(found: Settings, now: datetime) -> list[str]:
    """Do all of it; return a line for each thing done, and for each that failed."""
    layout = found.layout
    if not layout.base.is_dir():
        return []
    try:
        with locks.housekeeping(layout).acquire(timeout=0):
            return [*logs(found, now), *_swept(layout), *_ended(found, now), *_verified(found, now)]
    except Timeout:
        return ["somebody else is at it"]


def logs(found: Settings, now: datetime) -> list[str]:
    """Set the logs of processes aside, by day and size."""
    try:
        return process_logs.rotate(found.layout.logs / "processes", now.date(), found.logging.retention_days)
    except OSError as error:
        return [f"logs/processes: cannot be set aside ({error.strerror or error}): check the folder and disk"]


def _swept(layout: Layout) -> list[str]:
    try:
        done = leftovers.sweep(layout, leftovers.find(layout))
    except (OSError, LakeError) as error:
        return [f"what killed processes left: {error}"]
    told = {"temporary files removed": done.temporary, "spills of DuckDB removed": done.spills}
    told["raw parts taken over"] = done.open_parts
    return [f"{len(paths)} {what}, left by killed processes" for what, paths in told.items() if paths]


def _verified(found: Settings, now: datetime) -> list[str]:
    """Verify what was verified longest ago, for some minutes. What is damaged is repaired, or the remedy is named."""
    try:
        done = scrub.run(found.layout, now, found.transformer.parquet_compression, VERIFY_S)
    except (OSError, LakeError) as error:
        return [f"verify: {error}"]
    return [*(one.line for one in done.damaged), *([done.line] if done.damaged or done.adopted else [])]


def _ended(found: Settings, now: datetime) -> list[str]:
    api = system.api(found, 3)
    if not api.healthy():
        return []
    try:
        return [f"run {run.name}: {run.why}; ended as Crashed" for run in reap(api, POOL, system.worker_name(), now)]
    except LakeError as error:
        return [str(error)]


def errands(found: Settings, outside: Callable[[Settings], list[str]]) -> list[Errand]:
    """Return those of `up`: housekeeping, logs that grow fast, and hosts and clock every hour."""
    return [
        Errand(lambda: housekeeping(found, datetime.now(UTC)), DAY_S),
        Errand(lambda: logs(found, datetime.now(UTC)), LOGS_S),
        Errand(lambda: outside(found), 3600),
    ]
