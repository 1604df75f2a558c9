"""The ports of the lake: free, taken by a part of it, or by something else."""

import errno
import socket
from collections.abc import Callable
from contextlib import suppress

import psutil
import requests

from deployments import started
from lake.doctor import Finding
from lake.settings import Settings

_TIMEOUT_S = 3.0
_HERE = "127.0.0.1"


def all_of(found: Settings) -> list[Finding]:
    """Look at the ports of server, dashboard and Data Docs."""
    return [
        port("server", found.server.host, found.server.port, _is_server, found.base_path),
        port("dashboard", _HERE, found.dashboard.port, _is_dashboard, found.base_path),
        port("docs", _HERE, found.docs.port, _is_docs, found.base_path),
    ]


def port(part: str, host: str, number: int, ours: Callable[[str], bool], base: str = "") -> Finding:
    """Look at one.

    Args:
        part: Whose it is, as in config.yml.
        host: Where it listens.
        number: The port; 0 is a free one.
        ours: Whether what answers at an address is this part, started by hand.
        base: The lake's folder; what its `up` has started has the port by right.
    """
    name, key = f"port {part}", f"{part}.port"
    if number == 0:
        return Finding(name, "ok", "a free one is taken at the start")
    try:
        with socket.create_server((host, number), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return Finding(name, "ok", f"{number} is free")
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            why = error.strerror or str(error)
            return Finding(name, "fail", f"{number} on {host}: {why}", f"set another {key} in config.yml, above 1023")
    by = holder(number)
    if _its_own(part, base, by) or (
        by is not None and started.lake_of(by) is None and ours(f"http://{_HERE}:{number}")
    ):
        return Finding(name, "ok", f"{number} is the lake's own {part}")
    return Finding(
        name, "fail", f"{number} is taken by {_said(by)}", f"stop that, or set {key} in config.yml to another"
    )


def _its_own(part: str, base: str, by: psutil.Process | None) -> bool:
    """Whether this lake's `up` has started what has a port; where that cannot be seen, whether it may have."""
    if by is not None:
        return started.lake_of(by) == base
    return part in dict(started.parts(base))


def holder(number: int) -> psutil.Process | None:
    """Return the process that listens on a port, as far as this user may know."""
    with suppress(psutil.Error):
        for one in psutil.net_connections("tcp"):
            if one.laddr and one.laddr.port == number and one.status == psutil.CONN_LISTEN and one.pid:
                return psutil.Process(one.pid)
    return None


def _said(process: psutil.Process | None) -> str:
    if lake := started.lake_of(process):
        return f"the lake {lake}"
    with suppress(psutil.Error):
        return f"{process.name()} (process {process.pid})" if process else "another program"
    return "another program"


def _is_server(url: str) -> bool:
    answer = _get(f"{url}/api/health")
    return answer is not None and answer.text.strip() == "true"


def _is_dashboard(url: str) -> bool:
    answer = _get(f"{url}/_stcore/health")
    return answer is not None and answer.text.strip() == "ok"


def _is_docs(url: str) -> bool:
    answer = _get(f"{url}/metrics")
    return answer is not None and answer.headers.get("Content-Type", "").startswith("text/plain; version=0.0.4")


def _get(url: str) -> requests.Response | None:
    with suppress(requests.RequestException):
        answer = requests.get(url, timeout=_TIMEOUT_S, proxies={"http": ""})
        return answer if answer.ok else None
    return None
