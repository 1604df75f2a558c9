"""What `up` keeps alive: Prefect's server and worker, the collector, the dashboard, the Data Docs server."""

import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import requests

from deployments import collector_run, prefect_database, started
from deployments import prefect_stack as stack
from deployments.deployed import Deployed
from deployments.errands import Errand
from deployments.prefect_api import Api
from deployments.processes import Child, Children
from deployments.reaper import reap
from deployments.supervisor import Part, Running
from lake import health, settings
from lake.errors import LakeError
from lake.layout import Layout
from lake.settings import Settings

ORDER_S = 90.0
"""After a run of the collector was ordered, so long is waited for it before another is ordered."""
ASK_S = 5.0
"""So long the server's answer is waited for: one that hangs is not to hold up the others, nor the heartbeat."""


def environment(found: Settings) -> dict[str, str]:
    """Return the environment of everything that is started: this one's, less Prefect's settings, and the lake's own.

    What stands in config.yml is found there again by each process; what the environment says goes on to it.
    """
    own = stack.inherited("PREFECT_")
    if config := settings.config_file():
        own["LAKE_CONFIG"] = str(config)
    own["LAKE_BASE_PATH"] = own[started.MARK] = found.base_path
    for name in ("server", "dashboard", "docs"):
        own[f"LAKE_{name.upper()}__PORT"] = str(getattr(found, name).port)
    own |= stack.prefect_environment(Path(found.base_path) / ".prefect", found.server.url)
    own["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] = "30"
    own["PREFECT_WORKER_HEARTBEAT_SECONDS"] = "10"  # one that hangs reads OFFLINE after three of them
    own |= stack.retention(found.server.keep_runs_days)
    if found.server.database_url is not None:
        own["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = found.server.database_url.get_secret_value()
    if found.server.auth_string is not None:
        login = found.server.auth_string.get_secret_value()
        own |= {"PREFECT_SERVER_API_AUTH_STRING": login, "PREFECT_API_AUTH_STRING": login}
    return own


def api(found: Settings, timeout_s: float = 30) -> Api:
    """Return the server of the settings, from this machine."""
    login = found.server.auth_string
    return Api(found.server.url, login.get_secret_value() if login else None, timeout_s)


def with_ports(found: Settings) -> Settings:
    """Return the settings with a free port in place of each 0."""
    changed = {}
    for name in ("server", "dashboard", "docs"):
        section = getattr(found, name)
        if section.port == 0:
            changed[name] = section.model_copy(update={"port": stack.free_port()})
    return found.model_copy(update=changed)


class Alone:
    """A worker whose runs are not ended with it when it is given up: the collector goes on recording."""

    def __init__(self, child: Child) -> None:
        """Watch a worker."""
        self._child = child
        self.pid, self.last_line = child.pid, child.last_line

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._child.exit_code

    def stop(self) -> None:
        """End it by force."""
        self._child.kill()


def worker_name() -> str:
    """Return the name of this machine's worker."""
    return f"local-{socket.gethostname()}"


def _answers(url: str) -> Callable[[], bool]:
    def ask() -> bool:
        with suppress(requests.RequestException):
            return requests.get(url, timeout=3, proxies={"http": ""}).ok
        return False

    return ask


class System:
    """The parts of one lake, and what is done to all of them."""

    def __init__(self, found: Settings, children: Children, errands: Sequence[Errand] = ()) -> None:
        """Start nothing yet; ``errands`` are done now and then."""
        self._settings, self._children, self._errands = found, children, errands
        self.api = api(found, ASK_S)
        self._deployed = Deployed(self.api, children, found.notify.block)
        self._unwritten, self._told = False, list[str]()
        self.parts = self._parts()

    def _parts(self) -> list[Part]:
        found, start = self._settings, self._children.start
        ports = {name: f"http://127.0.0.1:{getattr(found, name).port}" for name in ("dashboard", "docs")}
        docs_arguments = ("-m", "deployments.docs_server", "--port", str(found.docs.port))
        server = Part("server", self._start_server, self.api.healthy, where=self.api.url)
        worker = Part("worker", self._start_worker, self._works, needs=(server, self._deployed), patience_s=90)
        collector = Part("collector", self._order, self._collects, needs=(server, self._deployed), start_s=ORDER_S)
        dashboard = Part(
            "dashboard", lambda: start("dashboard", "-m", "flows", "dashboard"),
            _answers(f"{ports['dashboard']}/_stcore/health"), where=ports["dashboard"],
        )  # fmt: skip
        docs = Part("docs", lambda: start("docs", *docs_arguments), _answers(ports["docs"]), where=ports["docs"])
        return [server, worker, collector, dashboard, docs]

    def _part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    def _start_server(self) -> Running:
        if self._settings.server.database_url is None:
            self._told += prefect_database.set_aside(self._settings.base_path)
        listener = self._settings.server
        return self._children.start("server", *stack.server_arguments(listener.host, listener.port))

    def _start_worker(self) -> Running:
        return Alone(self._children.start("worker", *stack.worker_arguments(worker_name())))

    def _works(self) -> bool:
        """Whether the worker polls its pool; while the server is away, whether its process is there."""
        worker = self._part("worker")
        if worker.process is None or worker.process.exit_code is not None:
            return False
        with suppress(LakeError):
            return not self._part("server").up or worker_name() in self.api.workers(stack.POOL)
        return True

    def _order(self) -> Running:
        return collector_run.order(self.api, self._settings.layout)

    def _collects(self) -> bool:
        """Whether a collector runs. Where no sign can be written, its age tells nothing: it waits for room."""
        return collector_run.collecting(self._settings.layout, silent=self._unwritten) is not None

    def clear(self) -> list[str]:
        """End the parts that one which was killed has left; return what there is to tell."""
        return started.end_parts(self._settings.base_path)

    def tick(self) -> list[str]:
        """Look at every part and do what is due; return what there is to tell."""
        told, self._told = self._told, []
        for part in self.parts:
            before = part.state, part.restarts
            part.tick(time.monotonic())
            if (part.state, part.restarts) != before:
                told.append(f"{part.name}: {part.state}{f' ({part.said})' if part.state == 'died' else ''}")
        if self._part("server").up:
            told += self._deployed.tick(time.monotonic())
        return told + [line for errand in self._errands for line in errand.tick(time.monotonic())]

    def reap(self) -> list[str]:
        """End runs whose process is gone; return what there is to tell.

        Raises:
            LakeError: the server does not answer, or its database is damaged.
        """
        if not (self._part("server").up and self._deployed.up):
            return []
        try:
            found = reap(self.api, stack.POOL, worker_name(), datetime.now(UTC))
        except LakeError as error:
            why = prefect_database.damage(self._settings.base_path)
            if why is None:
                raise
            raise LakeError(f"Prefect's database is damaged ({why}): {prefect_database.REMEDY}") from error
        return [f"run {run.name}: {run.why}; ended as Crashed" for run in found]

    def signs(self) -> None:
        """Say of the server and the worker how they are, and write heartbeat.json and health.md.

        Raises:
            LakeError: they cannot be written.
        """
        layout, now = self._settings.layout, datetime.now(UTC)
        self._unwritten = True
        try:
            for name in ("server", "worker"):
                part = self._part(name)
                pid = part.process.pid if part.process else None
                health.say(layout, name, "running" if part.up else "error", now, pid=pid, last_error=part.said or None)
            self._unwritten = False
        finally:  # the heartbeat tells of a full disk where a sign has no room
            health.write(layout, now)

    def close(self) -> None:
        """From here on start nothing, and let no further Ctrl-C keep anything from being ended."""
        self._children.close()

    def stop(self) -> None:
        """End everything that was started, within ten seconds: the collector first, then a last heartbeat."""
        self.close()
        collector_run.stop(self._settings.layout)
        _say_stopped(self._settings.layout)
        with ThreadPoolExecutor() as pool:
            for name in ("worker", "dashboard", "docs", "server"):
                pool.submit(self._children.stop, name)
        started.end_all(self._settings.base_path)


def end_left(layout: Layout) -> bool:
    """End what an `up` that was killed has left, the collector first; return whether there was anything."""
    collector_run.stop(layout)
    if found := started.end_all(str(layout.base)):
        _say_stopped(layout)
    return found


def _say_stopped(layout: Layout) -> None:
    """Leave a last heartbeat; a full disk keeps nothing from ending."""
    with suppress(LakeError):
        for name in ("server", "worker"):
            health.say(layout, name, "stopped", datetime.now(UTC))
        health.write(layout, datetime.now(UTC))
