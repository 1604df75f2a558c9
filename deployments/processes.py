"""Child processes that are ended with their parent: started in a session of their own, with SIGINT as by default.

A child of ``nohup … &`` inherits SIGINT ignored, and Prefect's worker then takes more than 80 s to stop: so the
default is set again in each child. In a session of its own, Ctrl-C reaches the parent alone, which ends its children in
order.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from deployments.ending import end
from lake import redaction
from lake.errors import LakeError

WINDOWS = os.name == "nt"
GENTLE_S = 20.0
_TAIL_BYTES = 1 << 16
_ASK_TO_END = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if sys.platform != "win32" else ()))


class Child:
    """A running process with its log."""

    def __init__(
        self, name: str, arguments: list[str], environment: Mapping[str, str], log: Path, folder: Path,
        secrets: tuple[str, ...] = (), gentle_s: float = GENTLE_S,
    ) -> None:  # fmt: skip
        """Start ``python ARGUMENTS`` in a folder, with its output in ``log``; of ``secrets`` it never tells.

        Told to stop, it has ``gentle_s`` for it.
        """
        self.name, self.log, self._secrets, self._gentle_s = name, log, secrets, gentle_s
        log.parent.mkdir(parents=True, exist_ok=True)
        flags = subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, *arguments], cwd=folder, env=dict(environment),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=not WINDOWS, creationflags=flags,
                preexec_fn=None if WINDOWS else _default_signals,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._process.poll()

    def wait_for(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until ``ready()`` is true.

        Raises:
            LakeError: the process has ended, or the time is over; with the last line of its log.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self.exit_code is not None or time.monotonic() > deadline:
                state = "runs but is not ready" if self.exit_code is None else f"has ended ({self.exit_code})"
                raise LakeError(f"{self.name} {state}: {self.last_line()} (log: {self.log})")
            time.sleep(0.2)

    def wait_to_end(self, seconds: float) -> None:
        """Wait until the process has ended by itself.

        Raises:
            LakeError: the time is over.
        """
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise LakeError(
                f"{self.name} is not done after {seconds:.0f} s: {self.last_line()} (log: {self.log})"
            ) from None

    def last_line(self) -> str:
        """The last line of its log that says something."""
        lines = _tail(self.log).split("\n")
        line = next((line.strip() for line in reversed(lines) if line.strip()), "no word in its log")
        return redaction.hidden(line, self._secrets)

    def stop(self) -> None:
        """End the process and every one it started. Ended before, it does nothing.

        Those it started come first: Prefect's worker kills its runs when it ends, and the collector is to close its
        files. Each is asked, and when its time is over (those it started: half of that) ended by force.
        """
        end(self._others(), self._gentle_s / 2)
        if self.exit_code is None:
            self._ask()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self._gentle_s)
        if self.exit_code is None:
            self.kill()
        end(self._others(), self._gentle_s / 2)

    def kill(self) -> None:
        """End it by force, and none of those that it started."""
        self._process.kill()
        self._process.wait()

    def _ask(self) -> None:
        if sys.platform == "win32":
            self._process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            self._process.send_signal(signal.SIGINT)

    def _others(self) -> set[psutil.Process]:
        """Its descendants, and, where it has died before them, the orphans of its session."""
        found: set[psutil.Process] = set()
        with suppress(psutil.NoSuchProcess):
            found.update(psutil.Process(self.pid).children(recursive=True))
        if not WINDOWS:
            found.update(p for p in psutil.process_iter() if _session(p.pid) == self.pid and p.pid != self.pid)
        return found


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _tail(log: Path) -> str:
    """The end of a log, which may have grown for long."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(handle.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
            return handle.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class Children:
    """The processes of one `up` or demo, ended in the reverse order of their start, whatever happens."""

    def __init__(
        self, environment: Mapping[str, str], logs: Path, folder: Path, secrets: tuple[str, ...] = (),
        gentle_s: float = GENTLE_S,
    ) -> None:  # fmt: skip
        """Start none yet; they will run in ``folder``, their logs go to the folder ``logs``."""
        self.environment, self.logs, self.folder = dict(environment), logs, folder
        self._secrets, self._gentle_s = secrets, gentle_s
        self._all: list[Child] = []
        self._before: dict[int, Any] = {}
        self._closed = False

    def start(self, name: str, *arguments: str) -> Child:
        """Start ``python ARGUMENTS`` with its output in ``logs/NAME.log``.

        What one of the same name that has ended has left behind is ended first.

        Raises:
            LakeError: all are being ended.
        """
        if self._closed:
            raise LakeError(f"{name}: is not started any more")
        for child in [child for child in self._all if child.name == name and child.exit_code is not None]:
            self._all.remove(child)
            child.stop()
        log = self.logs / f"{name}.log"
        child = Child(name, list(arguments), self.environment, log, self.folder, self._secrets, self._gentle_s)
        self._all.append(child)
        return child

    def stop(self, name: str) -> None:
        """End one of them before the others."""
        for child in [child for child in self._all if child.name == name]:
            self._all.remove(child)
            child.stop()

    def close(self) -> None:
        """From here on nothing is started, and a further Ctrl-C does not leave anything behind."""
        self._closed = True
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def __enter__(self) -> "Children":
        """From here on each signal that asks to end raises KeyboardInterrupt.

        SIGINT also where it was ignored (``nohup … &``); SIGHUP, of a terminal that is closed, only where it was not.
        """
        for number in _ASK_TO_END:
            if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, signal.default_int_handler)
        return self

    def __exit__(self, *_: object) -> None:
        """End all."""
        self.close()
        try:
            while self._all:
                self._all.pop().stop()
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)
