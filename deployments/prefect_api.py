"""The few requests to Prefect's server that `up` and the demo need."""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from lake.errors import LakeError

_TIMEOUT_S = 30
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class NotThereError(LakeError):
    """The server answers, and has nothing of that name."""


@dataclass(frozen=True)
class Run:
    """A flow run: how it stands, and its state's message."""

    id: str
    name: str
    type: str
    state: str
    message: str
    seconds: float


@dataclass(frozen=True)
class Active:
    """A run that the server takes for running, or about to: its process, and since when it is so."""

    id: str
    name: str
    deployment_id: str
    infrastructure_pid: str
    started: datetime | None
    changed: datetime


class Api:
    """A Prefect server.

    Args:
        url: Its address, such as ``http://127.0.0.1:4200``.
        auth: ``user:password`` where it asks for them.
        timeout_s: How long an answer is waited for.
    """

    def __init__(self, url: str, auth: str | None = None, timeout_s: float = _TIMEOUT_S) -> None:
        """Talk to the server at ``url``; nothing is sent yet."""
        self.url, self._timeout_s = url, timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business with loopback
        if auth:
            user, _, password = auth.partition(":")
            self._session.auth = (user, password)
        self._client = str(uuid.uuid4())

    def healthy(self) -> bool:
        """Tell whether the server answers, and has its database."""
        try:
            return self._session.get(f"{self.url}/api/ready", timeout=min(3, self._timeout_s)).ok
        except requests.RequestException:
            return False

    def workers(self, pool: str) -> set[str]:
        """Return the names of the workers that poll a pool."""
        workers = self._send("POST", f"work_pools/{pool}/workers/filter", {})
        return {worker["name"] for worker in workers if worker["status"] == "ONLINE"}

    def worker_online(self, pool: str) -> bool:
        """Tell whether a worker polls the pool."""
        return bool(self.workers(pool))

    def active(self, pool: str, types: tuple[str, ...] = ("RUNNING", "PENDING", "CANCELLING")) -> list[Active]:
        """Return the runs of a pool in a state of one of these types."""
        asked = {"flow_runs": {"state": {"type": {"any_": list(types)}}}, "work_pools": {"name": {"any_": [pool]}}}
        return [
            Active(
                run["id"], run["name"], run["deployment_id"] or "", run["infrastructure_pid"] or "",
                _time(run["start_time"]), _time(run["state"]["timestamp"]) or datetime.now(UTC),
            )
            for run in self._send("POST", "flow_runs/filter", asked)
        ]  # fmt: skip

    def crash(self, run: str, message: str) -> None:
        """End a run as Crashed, whatever its state."""
        state = {"type": "CRASHED", "name": "Crashed", "message": message}
        self._send("POST", f"flow_runs/{run}/set_state", {"state": state, "force": True})

    def deployment(self, name: str) -> str:
        """Return the id of a deployment such as ``transform-hour/local``."""
        return str(self._send("GET", f"deployments/name/{name}")["id"])

    def has_deployment(self, name: str) -> bool:
        """Tell whether a deployment is there.

        Raises:
            LakeError: the server does not answer.
        """
        try:
            return bool(self.deployment(name))
        except NotThereError:
            return False

    def run(self, deployment: str, **parameters: Any) -> str:
        """Order a run of a deployment such as ``transform-hour/local``; return the run's id."""
        found = self.deployment(deployment)
        made = self._send("POST", f"deployments/{found}/create_flow_run", {"parameters": parameters})
        return str(made["id"])

    def look(self, run: str) -> Run:
        """Return how a run stands."""
        found = self._send("GET", f"flow_runs/{run}")
        state = found["state"]
        return Run(run, found["name"], state["type"], state["name"], state["message"] or "", found["total_run_time"])

    def wait(self, run: str, seconds: float, until: frozenset[str] = frozenset(FINAL)) -> Run:
        """Wait until a run is in a state of one of these types (final ones by default).

        Raises:
            LakeError: the time is over, or the run ended otherwise.
        """
        deadline = time.monotonic() + seconds
        while (found := self.look(run)).type not in until:
            if found.type in FINAL or time.monotonic() > deadline:
                raise LakeError(
                    f"run {found.name} is {found.state} ({found.message}): expected {', '.join(sorted(until))}"
                )
            time.sleep(0.3)
        return found

    def cancel(self, run: str) -> None:
        """Ask for a run to be cancelled, as the button in the UI does."""
        self._send("POST", f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})

    def page(self, run: str) -> str:
        """The run's page in the UI."""
        return f"{self.url}/runs/flow-run/{run}"

    def block_document(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a block by its type's slug and its name, with its schema, or None where there is none."""
        asked = {"block_documents": {"name": {"any_": [name]}}, "block_types": {"slug": {"any_": [kind]}}}
        found = self._send("POST", "block_documents/filter", asked)
        return dict(found[0]) if found else None

    def automations(self) -> dict[str, str]:
        """Return the id of every automation by name."""
        return {found["name"]: found["id"] for found in self._send("POST", "automations/filter", {})}

    def put_automation(self, known: str | None, automation: dict[str, Any]) -> None:
        """Make an automation, or, where its id is known, replace it."""
        self._send(*(("PUT", f"automations/{known}") if known else ("POST", "automations/")), automation)

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._session.request(
                method, f"{self.url}/api/{path}", json=body, timeout=self._timeout_s, headers=self._csrf(method)
            )
            answer.raise_for_status()
        except requests.RequestException as error:
            missing = error.response is not None and error.response.status_code == requests.codes.not_found
            kind = NotThereError if missing else LakeError
            raise kind(f"Prefect's server at {self.url}: {path}: {error}") from error
        return answer.json() if answer.content else None

    def _csrf(self, method: str) -> dict[str, str]:
        """The token that a server with CSRF protection wants with each change; one without says 422."""
        if method == "GET":
            return {}
        asked = self._session.get(
            f"{self.url}/api/csrf-token", params={"client": self._client}, timeout=self._timeout_s
        )
        if not asked.ok:
            return {}
        return {"Prefect-Csrf-Token": asked.json()["token"], "Prefect-Csrf-Client": self._client}


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
