"""Processes that are not ours to wait for, ended: asked, and after a while by force."""

import time
from contextlib import suppress

import psutil


def end(processes: set[psutil.Process], gentle_s: float) -> None:
    """End processes that are not ours to wait for: asked with SIGTERM, after ``gentle_s`` by force."""
    for ask, seconds in ((psutil.Process.terminate, gentle_s), (psutil.Process.kill, 5.0)):
        for process in filter(_alive, processes):
            with suppress(psutil.NoSuchProcess):
                ask(process)
        deadline = time.monotonic() + seconds
        while any(map(_alive, processes)) and time.monotonic() < deadline:
            time.sleep(0.05)


def _alive(process: psutil.Process) -> bool:
    """A zombie has ended; it only waits for its parent to look."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
