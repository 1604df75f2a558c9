"""Processes that an `up` of a lake has started, found again by a mark in their environment.

So what an `up` that was killed has left is told apart from the same parts of another lake on this machine, and from
what a person started by hand. The mark goes on to what they start: a run of the worker's has it too.
"""

from collections.abc import Iterator
from contextlib import suppress

import psutil

from deployments.ending import end

_GENTLE_S = 2.0
MARK = "CRYPTO_LAKE_UP"
"""Its value is the lake's folder."""
PARTS = {
    "server": "-m deployments.prefect_server", "worker": "-m deployments.prefect_worker",
    "dashboard": "-m flows dashboard", "docs": "-m deployments.docs_server",
}  # fmt: skip
"""What stands in the command of a part."""


def lake_of(process: psutil.Process | None) -> str | None:
    """Return the lake whose `up` has started a process; None where none has, or nobody may know."""
    with suppress(psutil.Error, OSError):
        return process.environ().get(MARK) if process else None
    return None


def by_up(base: str) -> set[psutil.Process]:
    """Return every process of a lake's `up`, but this one."""
    this = psutil.Process()
    return {one for one in psutil.process_iter() if one != this and lake_of(one) == base}


def end_parts(base: str) -> list[str]:
    """End the parts that an `up` which was killed has left; return a line for each.

    The worker is not asked but ended, so that it does not end its runs: the collector goes on recording.
    """
    left = sorted(parts(base), key=lambda one: one[0])
    end({process for name, process in left if name == "worker"}, 0)
    end({process for _, process in left}, _GENTLE_S)
    return [f"{name}: process {process.pid} was left by one that was killed, and is ended" for name, process in left]


def end_all(base: str) -> bool:
    """End everything that an `up` of a lake has started; return whether there was anything."""
    left = by_up(base)
    end(left, _GENTLE_S)
    return bool(left)


def parts(base: str) -> Iterator[tuple[str, psutil.Process]]:
    """Yield each part of a lake that runs, with its name; runs of the worker's are none."""
    for process in by_up(base):
        with suppress(psutil.Error):
            command = " ".join(process.cmdline())
            yield from ((name, process) for name, words in PARTS.items() if words in command)
