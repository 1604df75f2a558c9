"""The few requests to Prefect's server that `up` and the demo need."""

import time
from dataclasses import dataclass
from typing import Any

import requests

from lake.errors import LakeError

_TIMEOUT_S = 30
_FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


@dataclass(frozen=True)
class Run:
    """A flow run: how it stands, and its state's message."""

    id: str
    name: str
    type: str
    state: str
    message: str
    seconds: float


class Api:
    """A Prefect server.

    Args:
        url: Its address, such as ``http://127.0.0.1:4200``.
    """

    def __init__(self, url: str) -> None:
        """Talk to the server at ``url``; nothing is sent yet."""
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business with loopback

    def healthy(self) -> bool:
        """Tell whether the server answers."""
        try:
            return self._session.get(f"{self.url}/api/health", timeout=5).ok
        except requests.RequestException:
            return False

    def worker_online(self, pool: str) -> bool:
        """Tell whether a worker polls the pool."""
        workers = self._send("POST", f"work_pools/{pool}/workers/filter", {})
        return any(worker["status"] == "ONLINE" for worker in workers)

    def run(self, deployment: str, **parameters: Any) -> str:
        """Order a run of a deployment such as ``transform-hour/local``; return the run's id."""
        found = self._send("GET", f"deployments/name/{deployment}")
        made = self._send("POST", f"deployments/{found['id']}/create_flow_run", {"parameters": parameters})
        return str(made["id"])

    def look(self, run: str) -> Run:
        """Return how a run stands."""
        found = self._send("GET", f"flow_runs/{run}")
        state = found["state"]
        return Run(run, found["name"], state["type"], state["name"], state["message"] or "", found["total_run_time"])

    def wait(self, run: str, seconds: float, until: frozenset[str] = frozenset(_FINAL)) -> Run:
        """Wait until a run is in a state of one of these types (final ones by default).

        Raises:
            LakeError: the time is over, or the run ended otherwise.
        """
        deadline = time.monotonic() + seconds
        while (found := self.look(run)).type not in until:
            if found.type in _FINAL or time.monotonic() > deadline:
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

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._session.request(method, f"{self.url}/api/{path}", json=body, timeout=_TIMEOUT_S)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise LakeError(f"Prefect's server at {self.url}: {path}: {error}") from error
        return answer.json() if answer.content else None
