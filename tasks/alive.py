"""A flow's sign of life: that it runs, and how it ended, for the heartbeat. It never fails a run, nor holds one up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from prefect import State

from lake import health, health_runs, interrupts
from lake.errors import BadInputError, LakeError
from lake.layout import Layout
from lake.log import Seldom

R = TypeVar("R")

BEAT_EVERY_S = 15.0
SAYS_ITS_OWN = ("collect_live",)
"""The collector is no run that ends."""


@dataclass
class Run:
    """What a run has to tell: rows that it wrote, and its error."""

    rows: int | None = None
    error: str | None = None

    def ended(self, state: State[Any]) -> None:
        """Take note of the state that the flow returns."""
        self.error = str(state.message or "failed") if state.is_failed() else None

    def finish(self, layout: Layout, part: str, name: str, now: datetime) -> None:
        """Say how it ended."""
        health_runs.end(layout, part, name, now, self.rows, self.error)


_trouble = Seldom()
_RUN: ContextVar[Run | None] = ContextVar("run", default=None)


def wrote(rows: int | None) -> None:
    """Note how many rows the run around this has written."""
    if run := _RUN.get():
        run.rows = rows


@contextmanager
def told(layout: Layout, flow: str) -> Iterator[Run]:
    """Tell of a run of a flow while the block runs, and how it ended.

    Bad input, and an interrupt, are no failures of the flow: it reads as before.
    """
    run = Run()
    if flow in SAYS_ITS_OWN:
        yield run
        return
    part, token = health_runs.PARTS.get(flow, flow), _RUN.set(run)
    name = _quietly(lambda: health_runs.begin(layout, part, _now()))
    ended, finish = threading.Event(), health_runs.drop
    beating = threading.Thread(target=_beat, args=(layout, part, name, ended), daemon=True)
    beating.start()
    try:
        yield run
        finish = run.finish
    except Exception as error:
        if not isinstance(error, BadInputError) and interrupts.received() is None:
            run.error = str(error) if isinstance(error, LakeError) else f"{type(error).__name__}: {error}"
            finish = run.finish
        raise
    finally:
        _RUN.reset(token)
        ended.set()
        beating.join()
        if name:
            _quietly(lambda: finish(layout, part, name, _now()))
        _quietly(lambda: health.write(layout, _now()))


def _beat(layout: Layout, part: str, name: str | None, ended: threading.Event) -> None:
    _quietly(lambda: health.write(layout, _now()))
    while not ended.wait(BEAT_EVERY_S):
        if name:
            _quietly(lambda: health_runs.beat(layout, part, name, _now()))
        _quietly(lambda: health.write(layout, _now()))


def _quietly(call: Callable[[], R]) -> R | None:
    try:
        return call()
    except Exception as error:
        _trouble.log("WARNING", "sign", f"the sign of life could not be said: {error}")
        return None


def _now() -> datetime:
    return datetime.now(UTC)
