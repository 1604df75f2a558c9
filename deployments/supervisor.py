"""Keeping parts alive: started in order, and again when they die or fall silent, with a growing pause in between.

No clock and no process in here: a part brings both, so that every path is tested in microseconds. Why not supervisord,
circus or honcho: the first two have no Windows, the third starts nothing again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

State = Literal["waiting", "starting", "running", "reused", "silent", "died"]
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
STEADY_S = 60.0
"""One that has run so long is taken for well again: its next pause is the first one."""


class Running(Protocol):
    """A process that was started: `deployments.processes.Child`, or a run that was ordered."""

    @property
    def pid(self) -> int | None:
        """Its process id, where it has one of its own."""

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""

    def last_line(self) -> str:
        """What it said last."""

    def stop(self) -> None:
        """End it."""


class Needed(Protocol):
    """What must be there before a part is started: another part, or something else."""

    @property
    def up(self) -> bool:
        """Whether it is there."""


@dataclass
class Part:
    """One part of the system, and how it stands.

    Attributes:
        name: As people read it.
        start: Starts it.
        answers: Whether it does its work; asked every tick, so it must not take long.
        needs: What must be up before this one is started.
        start_s: How long one that was started may take to answer.
        patience_s: How long one that has answered may be silent, before it is ended and started again.
        where: Address to look at, or "".
    """

    name: str
    start: Callable[[], Running]
    answers: Callable[[], bool]
    needs: tuple[Needed, ...] = ()
    start_s: float = 180.0
    patience_s: float = 30.0
    where: str = ""
    state: State = "waiting"
    process: Running | None = None
    restarts: int = 0
    said: str = ""
    _since: float = 0.0
    _answered: float = 0.0
    _failures: int = 0
    _not_before: float = field(default=0.0, repr=False)

    @property
    def up(self) -> bool:
        """Whether it answered when it was last asked."""
        return self.state in ("running", "reused")

    def tick(self, now: float) -> None:
        """Look at it, and do what is due. ``now`` is in seconds of a clock that only goes forward."""
        if self.process is not None and self.process.exit_code is not None:
            self._lost(now, f"ended with {self.process.exit_code}: {self.process.last_line()}")
        if self.answers():
            self._alive(now)
        elif self.process is None:
            self._begin(now)
        elif now - self._answered > (patience := self.start_s if self.state == "starting" else self.patience_s):
            process, self.process = self.process, None
            process.stop()
            self._lost(now, f"gave no answer for {patience:.0f} s")
        elif self.state == "running":
            self.state = "silent"

    def _alive(self, now: float) -> None:
        if self.state not in ("running", "reused", "silent"):
            self._since = now
        self.state = "reused" if self.process is None else "running"
        self._answered = now
        if now - self._since > STEADY_S:
            self._failures = 0

    def _begin(self, now: float) -> None:
        if self.state == "reused":
            self._lost(now, "what was running already is gone")
        if now < self._not_before or not all(one.up for one in self.needs):
            return
        try:
            self.process, self.state, self._answered = self.start(), "starting", now
        except Exception as error:  # of this part; the others are to be kept alive
            self._lost(now, f"cannot be started: {' '.join(str(error).split())}")

    def _lost(self, now: float, said: str) -> None:
        pause = min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S)
        self.process, self.state, self.said = None, "died", said
        self.restarts += 1
        self._failures += 1
        self._not_before = now + pause
