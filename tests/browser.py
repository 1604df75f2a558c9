"""A real headless Chromium, driven through its DevTools protocol, with every way out of the machine a trap.

Names resolve to nothing but 127.0.0.1, and a proxy on loopback writes down whoever knocks. A page keeps what it
requested and what went to the console: errors, exceptions, violations of the content security policy.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = f"needs one of {', '.join(NAMES)} on the PATH (Debian: apt-get install chromium)"
_QUIET = (
    "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-breakpad",
    "--disable-domain-reliability", "--disable-client-side-phishing-detection", "--disable-extensions", "--no-pings",
    "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--remote-debugging-port=0",
)  # fmt: skip

_OWN = ("clients2.google.com", "update.googleapis.com", "accounts.google.com", "optimizationguide-pa.googleapis.com")
"""Whom Chromium itself looks for after some seconds, whatever the page. Fonts and CDNs are not among them."""


def executable() -> str | None:
    """The Chromium of this machine."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One page that was opened, loaded whole; its console and its requests until now."""

    def __init__(self, browser: "Browser", session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target

    def _events(self, method: str) -> list[dict[str, Any]]:
        return [
            one["params"]
            for one in self._browser.events
            if one["method"] == method and one["sessionId"] == self._session
        ]

    @property
    def requests(self) -> list[str]:
        """Every address that was asked for."""
        return [one["request"]["url"] for one in self._events("Network.requestWillBeSent")]

    @property
    def complaints(self) -> list[str]:
        """Exceptions, and all that is an error or a warning on the console."""
        thrown = [str(one["exceptionDetails"]) for one in self._events("Runtime.exceptionThrown")]
        said = [str(one) for one in self._events("Runtime.consoleAPICalled")]
        logged = [one["entry"]["text"] for one in self._events("Log.entryAdded")]
        return thrown + said + logged

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is in the page."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, path: Path) -> bytes:
        """A PNG of what is on the screen, written to a file too."""
        data = base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"])
        path.write_bytes(data)
        return data

    def point(self, x: float, y: float) -> None:
        """Move the mouse to a place in the window."""
        self._call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def close(self) -> None:
        """Close the tab."""
        self._browser.call("Target.closeTarget", targetId=self._target)

    def follow(self, expression: str) -> None:
        """Do what leads to another page, and wait until that has loaded."""
        self._browser.events.clear()
        self.value(f"{expression}, 1")
        self._browser.loaded(self._session)

    def _call(self, method: str, **more: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **more)


class Browser:
    """The connection to a running Chromium."""

    def __init__(self, address: str, knocks: list[str]) -> None:
        self._socket = connect(address, max_size=None, open_timeout=30)
        self._number = 0
        self.events: list[dict[str, Any]] = []
        self._knocks = knocks

    @property
    def knocks(self) -> list[str]:
        """The first line of each request that a page sent out of this machine."""
        return [one for one in self._knocks if not any(host in one for host in _OWN)]

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Call a method and wait for its answer; events that come meanwhile are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while (answer := self._next()).get("id") != self._number:
            pass
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def open(self, url: str, width: int = 1200, height: int = 900, *, dark: bool = False, script: bool = True,
             zone: str = "") -> Page:  # fmt: skip
        """Open an address in a window of a size, in light or dark, and wait until it has loaded.

        ``zone`` is the time zone that the browser believes to be in.
        """
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable", session)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", session, features=scheme)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", session, **size)
        self.call("Emulation.setScriptExecutionDisabled", session, value=not script)
        self.call("Emulation.setTimezoneOverride", session, timezoneId=zone)
        self.events.clear()
        self.call("Page.navigate", session, url=url)
        self.loaded(session)
        return Page(self, session, target)

    def loaded(self, session: str) -> None:
        """Wait until a page has loaded since the events were cleared."""
        while not any(one["method"] == "Page.loadEventFired" and one["sessionId"] == session for one in self.events):
            self._next()

    def close(self) -> None:
        """Ask Chromium to end."""
        with suppress(Exception):
            self.call("Browser.close")
        self._socket.close()

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout=60))
        if "method" in message and "sessionId" in message:
            self.events.append(message)
        return message


@contextmanager
def trap() -> Iterator[tuple[int, list[str]]]:
    """A port on loopback that answers nothing and keeps the first line of whoever connects."""
    knocks: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            with suppress(OSError):
                while True:
                    who, _ = server.accept()
                    with who:
                        who.settimeout(5)
                        with suppress(OSError):
                            knocks.append(who.recv(400).decode("latin-1").split("\r\n")[0])

        threading.Thread(target=listen, daemon=True).start()
        try:
            yield server.getsockname()[1], knocks
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


@contextmanager
def chromium(rebound: Mapping[str, str] = MappingProxyType({})) -> Iterator[Browser]:
    """A Chromium with an empty profile, ended at the end; to it each name in ``rebound`` is that address."""
    found = executable()
    assert found, MISSING
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, trap() as (port, knocks):
        root = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
        names = "".join(f"MAP {name} {address}, " for name, address in rebound.items())
        ways = [
            f"--host-resolver-rules={names}MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE 127.0.0.2",
            f"--proxy-server=http://127.0.0.1:{port}", f"--proxy-bypass-list={';'.join(rebound)}",
        ]  # fmt: skip
        command = [found, *_QUIET, *root, *ways, f"--user-data-dir={profile}"]
        process = subprocess.Popen([*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            browser = Browser(_address(process, Path(profile)), knocks)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _address(process: "subprocess.Popen[bytes]", profile: Path) -> str:
    told, deadline = profile / "DevToolsActivePort", time.monotonic() + 60
    while not (told.is_file() and len(lines := told.read_text().split()) == 2):
        assert process.poll() is None, f"Chromium has ended ({process.returncode})"
        assert time.monotonic() < deadline, "Chromium does not open its DevTools port"
        time.sleep(0.02)
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
