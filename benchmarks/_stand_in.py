"""The stand-in in a process of its own, as slow as one asks for."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from lake.sections import Binance

KLINES = "/api/v3/klines"


@dataclass(frozen=True)
class StandIn:
    """A running stand-in: where it is, and what it counted."""

    urls: dict[str, str]

    @property
    def hosts(self) -> Binance:
        """Its addresses, as the lake's settings have them."""
        return Binance(**{name: self.urls[name] for name in ("ws_url", "rest_url", "futures_url", "archive_url")})

    def order(self, **fault: object) -> None:
        """Order a fault."""
        requests.post(f"{self.urls['control_url']}/faults", json=fault, timeout=10).raise_for_status()

    def slow(self, ms: float) -> None:
        """Answer every request that much later; and count those for klines."""
        self.order(kind="slow", ms=ms, id="slow")
        self.order(kind="slow", ms=0, id="count", path=KLINES)

    def klines_requests(self) -> int:
        """How many requests for klines came since `slow`."""
        said = requests.get(f"{self.urls['control_url']}/faults", timeout=10).json()
        faults = said["faults"] if isinstance(said, dict) else said
        return int(next(fault["hits"] for fault in faults if fault["id"] == "count"))


@contextmanager
def running(*arguments: str) -> Iterator[StandIn]:
    """Yield a stand-in that listens, and stop it."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        ports = ("--ws-port", "0", "--rest-port", "0", "--control-port", "0", "--ready-file", str(ready))
        process = subprocess.Popen([sys.executable, "-m", "simulator", *ports, *arguments], stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the stand-in does not start: try `crypto-lake simulate`")
                time.sleep(0.05)
            yield StandIn(json.loads(ready.read_text()))
        finally:
            process.terminate()
            process.wait(30)
