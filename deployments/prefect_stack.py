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
    """Return the environment of the processes: this one's, less every setting of Prefect's and the lake's, plus these.

    Args:
        home: Where Prefect keeps its database.
        port: Of the server, on loopback.
        config: The lake's config.yml.
    """
    own = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "LAKE_"))}
    return own | {
        "LAKE_CONFIG": str(config),
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
    }


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(children: Children, port: int) -> Api:
    """Start the server and wait until it answers."""
    api = Api(f"http://127.0.0.1:{port}")
    server = children.start(
        "prefect-server", "-m", "deployments.prefect_server", "--host", "127.0.0.1", "--port", str(port)
    )
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
    worker = children.start("prefect-worker", "-m", "prefect", "worker", "start", "--pool", POOL, "--name", "local")
    worker.wait_for(lambda: api.worker_online(POOL), 60)
