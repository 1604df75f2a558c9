"""Prefect, up and ready: server, work pool, deployments, worker."""

import os
import socket
from pathlib import Path

from deployments.prefect_api import Api
from deployments.processes import Children
from lake.errors import LakeError

PROJECT = Path(__file__).resolve().parent.parent
POOL = "crypto-lake"


def environment(home: Path, port: int, config: Path) -> dict[str, str]:
    """Return the environment of the demo's processes: this one's, less every setting of Prefect's and the lake's.

    Args:
        home: Where Prefect keeps its database.
        port: Of the server, on loopback.
        config: The lake's config.yml.
    """
    return inherited("PREFECT_", "LAKE_") | {"LAKE_CONFIG": str(config)} | prefect_environment(home, port)


def inherited(*without: str) -> dict[str, str]:
    """Return this process's environment, less the variables that begin so."""
    return {key: value for key, value in os.environ.items() if not key.startswith(without)}


def prefect_environment(home: Path, port: int) -> dict[str, str]:
    """Return what Prefect's server, worker and runs are told: nothing is sent home, no other site may ask."""
    here = f"http://127.0.0.1:{port}"
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"{here}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{here},http://localhost:{port}",
        "DO_NOT_TRACK": "1",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
    }


def retention(days: int) -> dict[str, str]:
    """Return what has Prefect's own vacuum service take runs out of its database, with their logs and artifacts.

    Source: prefect.server.services.db_vacuum; by default it removes events of a week ago and keeps every run.
    """
    return {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(days * 86_400),
    }


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_arguments(host: str, port: int) -> tuple[str, ...]:
    """Return what starts the server."""
    return ("-m", "deployments.prefect_server", "--host", host, "--port", str(port))


def worker_arguments(name: str) -> tuple[str, ...]:
    """Return what starts a worker of this name."""
    return ("-m", "deployments.prefect_worker", "--pool", POOL, "--name", name)


def start_server(children: Children, port: int) -> Api:
    """Start the server and wait until it answers."""
    api = Api(f"http://127.0.0.1:{port}")
    server = children.start("prefect-server", *server_arguments("127.0.0.1", port))
    server.wait_for(api.healthy, 60)
    return api


def deploy(children: Children) -> None:
    """Make the work pool and every deployment of prefect.yaml, as the two commands of Prefect's own do."""
    make_pool = ("work-pool", "create", POOL, "--type", "process", "--overwrite")
    for name, command in (("work-pool", make_pool), ("deploy", ("--no-prompt", "deploy", "--all"))):
        done = children.start(name, "-m", "prefect", *command)
        done.wait_to_end(120)
        if done.exit_code:
            raise LakeError(f"prefect {' '.join(command)}: {done.last_line()} (log: {done.log})")


def start_worker(children: Children, api: Api) -> None:
    """Start a worker and wait until the server sees it."""
    worker = children.start("prefect-worker", *worker_arguments("local"))
    worker.wait_for(lambda: api.worker_online(POOL), 60)
