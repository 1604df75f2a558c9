"""What `up` keeps alive: Prefect's server and worker, the collector, the dashboard, the Data Docs server."""

import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import requests

from deployments import prefect_automations
from deployments import prefect_stack as stack
from deployments.errands import Errand
from deployments.prefect_api import FINAL, Api
from deployments.processes import Children, end
from deployments.reaper import reap
from deployments.supervisor import Part, Running
from lake import health, settings, signs
from lake.errors import LakeError
from lake.layout import Layout
from lake.settings import Settings

ORDER_S = 45.0
"""After a run of the collector was ordered, so long is waited for it before another is ordered."""
COLLECTOR = "collect-live/local"


def environment(found: Settings) -> dict[str, str]:
    """Return the environment of everything that is started: this one's, less Prefect's settings, and the lake's own.

    What stands in config.yml is found there again by each process; what the environment says goes on to it.
    """
    own = stack.inherited("PREFECT_")
    if config := settings.config_file():
        own["LAKE_CONFIG"] = str(config)
    own["LAKE_BASE_PATH"] = found.base_path
    for name in ("server", "dashboard", "docs"):
        own[f"LAKE_{name.upper()}__PORT"] = str(getattr(found, name).port)
    own |= stack.prefect_environment(Path(found.base_path) / ".prefect", found.server.url)
    own["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] = "30"
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


class Found:
    """A process that somebody else started."""

    def __init__(self, process: psutil.Process) -> None:
        """Watch a process."""
        self._process = process

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; what it ended with nobody knows."""
        return None if self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE else -1

    def last_line(self) -> str:
        """Nothing: its output went elsewhere."""
        return "it was started by somebody else"

    def stop(self) -> None:
        """End it."""
        end({self._process}, 5)


class Ordered:
    """A run of the collector that was ordered: it has ended as soon as its state is final."""

    pid = None

    def __init__(self, api: Api, run: str) -> None:
        """Watch a run."""
        self._api, self._run, self._message = api, run, ""

    @property
    def exit_code(self) -> int | None:
        """None while it may be running."""
        with suppress(LakeError):
            found = self._api.look(self._run)
            self._message = f"{found.state} {found.message}".strip()
            return 1 if found.type in FINAL else None
        return None

    def last_line(self) -> str:
        """Its state's message."""
        return self._message

    def stop(self) -> None:
        """Cancel it."""
        with suppress(LakeError):
            self._api.cancel(self._run)


def collector_process(layout: Layout) -> psutil.Process | None:
    """Return the process that collects into this lake, or None where none does."""
    sign = signs.read_one(layout, "collector")
    if sign is None or sign.process is None or not sign.living(datetime.now(UTC), signs.lives):
        return None
    try:
        return psutil.Process(sign.process.pid)
    except psutil.NoSuchProcess:
        return None


def worker_name() -> str:
    """Return the name of this machine's worker."""
    return f"local-{socket.gethostname()}"


def worker_process(api: Api) -> psutil.Process | None:
    """Return the process that works for a server under this machine's name, or None; another lake's is left alone."""
    command = " ".join(stack.worker_arguments(worker_name())[1:])
    for process in psutil.process_iter(["cmdline"]):
        if command in " ".join(process.info["cmdline"] or ()):
            with suppress(psutil.Error):
                if process.environ().get("PREFECT_API_URL") == f"{api.url}/api":
                    return process
    return None


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
        self.api = api(found)
        self._deployed = False
        self.parts = self._parts()

    def _parts(self) -> list[Part]:
        found, start = self._settings, self._children.start
        ports = {name: f"http://127.0.0.1:{getattr(found, name).port}" for name in ("dashboard", "docs")}
        server_arguments = stack.server_arguments(found.server.host, found.server.port)
        docs_arguments = ("-m", "deployments.docs_server", "--port", str(found.docs.port))
        server = Part("server", lambda: start("server", *server_arguments), self.api.healthy, where=self.api.url)
        worker = Part("worker", self._start_worker, self._works, needs=(server,), patience_s=90)
        collector = Part("collector", self._order, self._collects, needs=(server,), start_s=ORDER_S)
        dashboard = Part(
            "dashboard", lambda: start("dashboard", "-m", "flows", "dashboard"),
            _answers(f"{ports['dashboard']}/_stcore/health"), where=ports["dashboard"],
        )  # fmt: skip
        docs = Part("docs", lambda: start("docs", *docs_arguments), _answers(ports["docs"]), where=ports["docs"])
        return [server, worker, collector, dashboard, docs]

    def _part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    def _start_worker(self) -> Running:
        """Start the worker, the first time after the pool and the deployments were made; or take over one that runs."""
        if not self._deployed:
            stack.deploy(self._children)
            prefect_automations.put(self.api, self._settings.notify.block)
            self._deployed = True
        if (process := worker_process(self.api)) is not None:
            return Found(process)
        return self._children.start("worker", *stack.worker_arguments(worker_name()))

    def _works(self) -> bool:
        """Whether the worker polls its pool; while the server is away, whether its process is there."""
        worker = self._part("worker")
        if worker.process is None or worker.process.exit_code is not None:
            return False
        with suppress(LakeError):
            return worker_name() in self.api.workers(stack.POOL)
        return True

    def _order(self) -> Running:
        """Order a run of the collector, unless one was just ordered."""
        waiting = self.api.active(stack.POOL, ("SCHEDULED", "PENDING"))
        deployment = self.api.deployment(COLLECTOR)
        known = next((run.id for run in waiting if run.deployment_id == deployment), None)
        return Ordered(self.api, known or self.api.run(COLLECTOR))

    def _collects(self) -> bool:
        return collector_process(self._settings.layout) is not None

    def tick(self) -> list[str]:
        """Look at every part and do what is due; return what there is to tell."""
        told = []
        for part in self.parts:
            before = part.state, part.restarts
            part.tick(time.monotonic())
            if (part.state, part.restarts) != before:
                told.append(f"{part.name}: {part.state}{f' ({part.said})' if part.state == 'died' else ''}")
        return told + [line for errand in self._errands for line in errand.tick(time.monotonic())]

    def reap(self) -> list[str]:
        """End runs whose process is gone; return what there is to tell."""
        if not self.parts[0].up:
            return []
        try:
            found = reap(self.api, stack.POOL, worker_name(), datetime.now(UTC))
        except LakeError as error:
            return [str(error)]
        return [f"run {run.name}: {run.why}; ended as Crashed" for run in found]

    def signs(self) -> None:
        """Say of the server and the worker how they are, and write heartbeat.json and health.md."""
        layout, now = self._settings.layout, datetime.now(UTC)
        for name in ("server", "worker"):
            part = self._part(name)
            pid = part.process.pid if part.process else None
            health.say(layout, name, "running" if part.up else "error", now, pid=pid, last_error=part.said or None)
        health.write(layout, now)

    def stop(self) -> None:
        """End everything that was started, within ten seconds: the collector first, then a last heartbeat."""
        layout = self._settings.layout
        if (process := collector_process(layout)) is not None:
            end({process}, 4)
        with suppress(LakeError):  # a full disk keeps nothing from ending
            for name in ("server", "worker"):
                health.say(layout, name, "stopped", datetime.now(UTC))
            health.write(layout, datetime.now(UTC))
        with ThreadPoolExecutor() as pool:
            for name in ("worker", "dashboard", "docs", "server"):
                pool.submit(self._children.stop, name, 3)
