"""Prefect as it runs this lake: server, pool, worker, collector, and runs that are stuck."""

from datetime import datetime

from deployments import collector_run, prefect_database, system
from deployments.prefect_api import Api
from deployments.prefect_stack import POOL
from deployments.reaper import gone
from lake import locks, signs
from lake.doctor import Finding, State
from lake.errors import LakeError
from lake.layout import Layout
from lake.settings import Settings

TIMEOUT_S = 3.0
_UP = "crypto-lake up starts everything"
_WHY = "crypto-lake status shows what up does about it, logs/processes why"


def all_of(found: Settings, now: datetime) -> list[Finding]:
    """Look at all of it. What does not run is a failure while `up` ought to keep it running, else a warning."""
    api, up = system.api(found, TIMEOUT_S), locks.is_held(found.layout, locks.up)
    missing: tuple[State, str] = ("fail", _WHY) if up else ("warn", _UP)
    parts = (
        _server(api, now, missing) if api.healthy() else [_not("Prefect server", "does not answer", missing, api.url)]
    )
    if why := prefect_database.damage(found.base_path):
        said = f"{prefect_database.path(found.base_path)} is damaged: {why}"
        parts = [*parts, Finding("Prefect database", "fail", said, prefect_database.REMEDY)]
    return [*parts, _collector(found.layout, missing)]


def _server(api: Api, now: datetime, missing: tuple[State, str]) -> list[Finding]:
    server = Finding("Prefect server", "ok", f"answers at {api.url}")
    try:
        workers = api.workers(POOL)
    except LakeError as error:
        if "404" in str(error):
            return [server, _not("pool", f"{POOL} is not there", missing)]
        login = "401" in str(error) or "403" in str(error)
        remedy = (
            "server.auth_string in config.yml must be the server's" if login else "logs/processes/server.log says why"
        )
        return [Finding("Prefect server", "fail", str(error), remedy)]
    return [server, Finding("pool", "ok", f"{POOL} is there"), _worker(workers, missing), stuck(api, now)]


def _worker(names: set[str], missing: tuple[State, str]) -> Finding:
    if not names:
        return _not("worker", f"none polls the pool {POOL}", missing)
    return Finding("worker", "ok", f"{', '.join(sorted(names))} polls the pool")


def stuck(api: Api, now: datetime) -> Finding:
    """Whether Prefect takes runs for running whose process is gone."""
    runs = [(run.name, why) for run in api.active(POOL) if (why := gone(run, now))]
    if not runs:
        return Finding("stuck runs", "ok", "none")
    said = f"{len(runs)}, such as {runs[0][0]}: {runs[0][1]}"
    return Finding("stuck runs", "warn", said, "crypto-lake up ends them within seconds, crypto-lake housekeeping once")


def _collector(layout: Layout, missing: tuple[State, str]) -> Finding:
    process = collector_run.collecting(layout)
    if process is None:
        return _not("collector", "does not run", missing)
    sign = signs.read_one(layout, "collector")
    if sign is not None and not sign.fields.get("last_seen_ts"):
        said = f"runs (process {process.pid}), and has received nothing since it was started"
        return Finding("collector", "warn", said, "crypto-lake health says after 90 s what is wrong")
    return Finding("collector", "ok", f"runs (process {process.pid}) and receives")


def _not(name: str, what: str, missing: tuple[State, str], where: str = "") -> Finding:
    state, remedy = missing
    return Finding(name, state, f"{what}{f' at {where}' if where else ''}", remedy)
