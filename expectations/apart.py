"""A validation in a process of its own, where code of a user's takes part in it.

``os._exit(0)`` in a user's expectation ends the process at once, as if all were well: nothing is raised, no ``finally``
and no ``atexit`` runs. A crash in a compiled module ends it too. So another process has to notice that no verdict came.
Without such code the validation runs in this process: a new one costs the imports, some five seconds.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from loguru import logger

from expectations.outcome import Outcome
from expectations.validate import validate
from lake import interrupts, own_rules
from lake.errors import BadInputError, LakeError
from lake.layout import Layout

_ROOT = Path(__file__).resolve().parent.parent
_END_S = 10.0


def validated(layout: Layout, *given: Any, progress: Callable[[str], None], **more: Any) -> Outcome:
    """Validate as `expectations.validate.validate` does, whatever a user's code does to the process it runs in.

    Raises:
        BadInputError, LakeError: as `validate`; LakeError also where the process has ended without a verdict.
    """
    if not has_code(layout):
        return validate(layout, *given, progress=progress, **more)
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        [sys.executable, "-m", "expectations.apart"], env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as child:  # fmt: skip
        try:
            assert child.stdin and child.stdout  # noqa: S101  both are pipes
            with suppress(BrokenPipeError):  # it has ended: no verdict will come
                child.stdin.write(pickle.dumps((layout, given, more)))
            with suppress(BrokenPipeError):
                child.stdin.close()
            outcome = _heard(child.stdout, progress)
        finally:
            code = _ended(child)
    if outcome is None:
        raise LakeError(
            f"the validation has ended with exit code {code} and without a verdict: code of your own in "
            f"{layout.reports / 'gx'} ends the process it runs in: mend it, or move it away"
        )
    return outcome


def has_code(layout: Layout) -> bool:
    """Tell whether code of a user's takes part in a validation: where one rule was not allowed, none does."""
    rules = own_rules.found(own_rules.project(layout))
    return any(one.is_code for one in rules) and all(one.is_allowed for one in rules)


def _heard(said: IO[bytes], progress: Callable[[str], None]) -> Outcome | None:
    """Take in what the process tells, until its verdict, or until it has ended without one."""
    for kind, what in _messages(said):
        if kind == "progress":
            progress(what)
        elif kind == "log":
            logger.log(*what)
        elif kind == "bad input":
            raise BadInputError(what)
        elif kind == "error":
            raise LakeError(what)
        else:
            found: Outcome = what
            return found
    return None


def _messages(said: IO[bytes]) -> Iterator[tuple[str, Any]]:
    with suppress(EOFError, pickle.UnpicklingError):  # it has ended, in the middle of a message perhaps
        while True:
            yield pickle.load(said)  # noqa: S301  from our own process


def _ended(child: "subprocess.Popen[bytes]") -> int:
    """Wait for the process; one that goes on although nobody listens any more is ended."""
    with suppress(subprocess.TimeoutExpired):
        if sys.exc_info()[0] is None:
            return child.wait(_END_S)
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        return child.wait(_END_S)
    child.kill()
    return child.wait()


def _work() -> None:
    """In the new process: what is printed goes to standard error, so that standard output has messages alone."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def tell(kind: str, what: Any) -> None:
        pickle.dump((kind, what), out)
        out.flush()

    logger.remove()
    logger.add(lambda line: tell("log", (line.record["level"].name, line.record["message"])), format="{message}")
    layout, given, more = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own process
    try:
        with interrupts.handled():
            outcome = validate(layout, *given, progress=lambda what: tell("progress", what), **more)
        tell("verdict", outcome)
    except BadInputError as error:
        tell("bad input", str(error))
    except LakeError as error:
        tell("error", str(error))
    except interrupts.Interrupted as stop:
        sys.exit(stop.exit_code)
    except Exception as error:
        logger.opt(exception=error).debug("where it failed")
        tell("error", f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    _work()
