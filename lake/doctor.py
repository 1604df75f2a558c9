"""`crypto-lake doctor`: what a check finds, and all of them asked at once, within so many seconds.

A check is a function that returns a finding, or some. It may fail in any way: then that is the finding. The checks that
need only the lake are in `lake.doctor_install`, `doctor_disk`, `doctor_net` and `doctor_data`; each takes its facts as
arguments, or only gathers them.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from lake.errors import LakeError

State = Literal["ok", "warn", "fail"]
WORST: tuple[State, ...] = ("fail", "warn", "ok")
SECONDS = 10.0
"""Most that all checks together take."""


@dataclass(frozen=True)
class Finding:
    """What a check found, in one line: of what, how it stands, what there is to say, and what to do."""

    name: str
    state: State
    said: str
    remedy: str = ""

    def __post_init__(self) -> None:
        for field in ("said", "remedy"):
            object.__setattr__(self, field, " ".join(getattr(self, field).split()))

    @property
    def line(self) -> str:
        """It without its state, as it stands in a log."""
        return f"{self.name}: {self.said}{f': {self.remedy}' if self.remedy else ''}"


Check = Callable[[], Finding | list[Finding]]


def examine(checks: Mapping[str, Check], seconds: float = SECONDS) -> list[Finding]:
    """Make every check at once, each in a thread; return what they found, in the order of the checks.

    One that raises, or is not done after ``seconds``, is a ``fail`` of its name. The thread of the latter is left
    behind: a name server that does not answer cannot be interrupted.
    """
    found: dict[str, list[Finding]] = {}

    def make(name: str, check: Check) -> None:
        found[name] = made(name, check)

    threads = [
        threading.Thread(target=make, args=check, name=f"doctor {check[0]}", daemon=True) for check in checks.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    late = f"gave no answer within {seconds:.0f} s"
    return [
        one
        for name in checks
        for one in found.get(name) or [Finding(name, "fail", late, "run crypto-lake doctor again")]
    ]


def made(name: str, check: Check) -> list[Finding]:
    """Return what a check finds; what it raises is a finding too."""
    try:
        found = check()
    except LakeError as error:
        return [Finding(name, "fail", str(error), "mend that, then run crypto-lake doctor again")]
    except PermissionError as error:
        said = f"{error.filename}: {error.strerror}"
        return [Finding(name, "fail", said, "is it yours? crypto-lake runs as the user who owns base_path")]
    except Exception as error:  # whatever it is: the other checks are to be told too
        why = f"the check itself broke ({type(error).__name__}: {str(error)[:200]})"
        return [Finding(name, "fail", why, "please report this line")]
    return found if isinstance(found, list) else [found]


def worst(found: Iterable[Finding]) -> State:
    """Return the worst state of some findings."""
    states = {one.state for one in found}
    return next((state for state in WORST if state in states), "ok")
