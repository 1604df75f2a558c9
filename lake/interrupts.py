"""Ctrl-C, SIGTERM and SIGHUP end a run in the same way: what it has half written is taken away on the way out.

Python turns only Ctrl-C into an exception. SIGTERM (``kill``, ``docker stop``, a cancelled Prefect run) and SIGHUP (a
terminal that is closed) would end the process at once, and leave temporary files behind.

An exception that a signal raises can get lost: DuckDB replaces it with ``RuntimeError: Query interrupted`` (2.0.1), and
a C callback drops it. So it is kept here as well, and whoever goes on after an error calls `check` first.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

AGAIN_S = 5.0
"""A further signal within this time is taken for the same wish, so that it does not interrupt the way out."""
_NUMBERS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if sys.platform != "win32" else ()))


class Interrupted(KeyboardInterrupt):
    """A signal has asked this process to end."""

    def __init__(self, number: int) -> None:
        """Name the signal."""
        self.name = signal.Signals(number).name
        super().__init__(self.name)
        self.exit_code = 128 + number
        """As a shell has it: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""


@dataclass
class _Watch:
    """The signal that came, what it has raised, and when."""

    signal: Interrupted | None = None
    raised: BaseException | None = None
    at: float = 0.0

    def take(self, theirs: Any, number: int, frame: FrameType | None) -> None:
        """Raise what the handler before this one raises, or `Interrupted`."""
        if self.signal is not None and time.monotonic() - self.at < AGAIN_S:
            return
        self.signal, self.at = Interrupted(number), time.monotonic()
        self.raised = self.signal
        for end in _ends:
            end()
        if callable(theirs) and theirs is not signal.default_int_handler:
            try:
                theirs(number, frame)
            except BaseException as error:
                self.raised = error
                raise
        raise self.signal


_watch: _Watch | None = None
_ends: list[Callable[[], object]] = []


def also(end: Callable[[], object]) -> None:
    """Have something called when a signal comes, before the exception is raised: what ends work that waits for none."""
    _ends.append(end)


@contextmanager
def handled() -> Iterator[None]:
    """While the block runs, a signal that asks this process to end raises an exception in the main thread.

    It is `Interrupted`, or what the handler in force raises (Prefect's), and it leaves the block even where another
    error has taken its place. A signal that is ignored stays ignored (``nohup``). Inside of another such block, and in
    another thread than the main one, this does nothing.
    """
    global _watch
    if _watch is not None:
        yield
        return
    watch, before = _Watch(), dict[signal.Signals, Any]()
    with suppress(ValueError):  # not in the main thread
        for number in heeded():
            known = before[number] = signal.getsignal(number)
            signal.signal(number, partial(watch.take, known))
        _watch = watch
    try:
        yield
    except Exception as error:
        if watch.raised is None:
            raise
        raise watch.raised from error
    finally:
        for number, known in before.items():
            signal.signal(number, known)
        if _watch is watch:
            _watch = None


def heeded() -> list[signal.Signals]:
    """Return the signals that ask this process to end, without those that are ignored (``nohup`` ignores SIGHUP)."""
    return [number for number in _NUMBERS if signal.getsignal(number) not in (signal.SIG_IGN, None)]


def received() -> Interrupted | None:
    """Return the signal that has asked this process to end, or None."""
    return _watch.signal if _watch else None


def check() -> None:
    """Raise again what the signal has raised, where one has come."""
    if _watch and _watch.raised:
        raise _watch.raised
