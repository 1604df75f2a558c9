"""How flows and tasks run: under Prefect with its logs, states and retries, or plainly from a shell, with no server."""

import functools
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from loguru import logger
from prefect import State, Task, get_run_logger
from prefect.cache_policies import NO_CACHE
from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff

from lake import files, interrupts, log, settings
from lake.errors import BadInputError, LakeError
from lake.progress import Progress
from tasks import alive

if TYPE_CHECKING:
    from loguru import Message

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

ALREADY_RUNNING = "AlreadyRunning"
"""Name of the (completed) state of a run that found its work being done by another process."""


class LakeTask(Task[P, R], Generic[P, R]):
    """A Prefect task that is its plain function where there is no flow run around it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a task run inside a flow run, else call the function; no server is ever started for it."""
        if FlowRunContext.get() is None:
            return self.fn(*args, **kwargs)
        return super().__call__(*args, **kwargs)


def lake_task(run_name: str, retries: int = 2) -> Callable[[Callable[P, R]], LakeTask[P, R]]:
    """Decorate a plain function as a task that is tried again after some 5, then 10 seconds, with jitter.

    Bad input is not tried again. Nothing is cached: what is pending is decided by the lake alone.

    Args:
        run_name: Name of the task run, with the function's parameters in braces.
        retries: How many more tries; 0 for what a retry cannot help.
    """

    def decorate(function: Callable[P, R]) -> LakeTask[P, R]:
        return LakeTask(
            function,
            task_run_name=run_name,
            retries=retries,
            retry_delay_seconds=exponential_backoff(backoff_factor=5),
            retry_jitter_factor=0.5,
            retry_condition_fn=_worth_another_try,
            cache_policy=NO_CACHE,
            persist_result=False,
        )

    return decorate


def _worth_another_try(task: Any, run: Any, state: State[Any]) -> bool:
    error = state.result(raise_on_failure=False)
    return not isinstance(error, BadInputError) and interrupts.received() is None


def reported(function: Callable[P, State[Any]]) -> Callable[P, State[Any]]:
    """Tell of a flow's runs in the heartbeat (`tasks.alive`), with or without Prefect.

    In a flow run its log lines stand in Prefect's run logs too, what it writes is its user's alone, whoever started the
    worker, and a `LakeError` ends it Failed with one line; outside one (command line, tests) errors are raised. A run
    that is cancelled takes away what it has half written (`lake.interrupts`).
    """

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> State[Any]:
        inside = FlowRunContext.get() is not None
        try:
            with interrupts.handled(), files.for_the_owner() if inside else nullcontext():
                lake = settings.load()
                if inside:
                    log.start(lake, sink=_to_prefect(), console=False)
                with alive.told(lake.layout, function.__name__) as run:
                    state = function(*args, **kwargs)
                    run.ended(state)
                    return state
        except LakeError as error:
            if not inside:
                raise
            logger.error(str(error))
            return Failed(message=str(error))

    return wrapper


def _to_prefect() -> "Callable[[Message], None]":
    around = get_run_logger()

    def sink(message: "Message") -> None:
        try:
            target = get_run_logger()
        except RuntimeError:  # a thread without the run's context
            target = around
        target.log(min(message.record["level"].no, 50), str(message).rstrip("\n"))

    return sink


def named(verb: str) -> Callable[[], str]:
    """Return what names a flow run by its symbols (or tickers) and window: ``transform SOLUSDT 2025-10-21``."""

    def name() -> str:
        given = {key: value for key, value in flow_run.parameters.items() if value is not None}
        symbols = given.pop("symbols", None) or given.pop("tickers", None) or ["all"]
        shown = ",".join(symbols[:3]) + (f",+{len(symbols) - 3}" if len(symbols) > 3 else "")
        times = "/".join(_short(given[key]) for key in ("start", "end", "date") if key in given)
        return " ".join(word for word in (verb, shown, times, str(given.get("tf", ""))) if word)

    return name


def _short(moment: Any) -> str:
    return str(moment).replace(" ", "T").replace("+00:00", "Z").removesuffix("T00:00:00Z")


def each(
    items: Iterable[T], call: Callable[[T], R], progress: Progress, last: Callable[[R], bool] = lambda result: False
) -> tuple[list[R], dict[str, str]]:
    """Call for every item, whatever happens to another; return the results, and what failed with its reason.

    Items are symbols, or tuples whose parts name them. After a result of which ``last`` holds none is called any more.
    """
    work, done, failed = list(items), [], {}
    for number, item in enumerate(work):
        name = " ".join(map(str, item)) if isinstance(item, tuple) else str(item)
        progress(number / len(work), name)
        try:
            done.append(call(item))
            if last(done[-1]):
                break
        except Exception as error:
            interrupts.check()
            failed[name] = str(error) if isinstance(error, LakeError) else f"{type(error).__name__}: {error}"
            logger.error("{}: {}", name, failed[name])
            logger.opt(exception=error).debug("{}: where it failed", name)
    progress(1.0, "done")
    return done, failed


def already(what: str) -> State[Any]:
    """Return the state of a run whose work another process is doing: Completed, by a name of its own."""
    return Completed(name=ALREADY_RUNNING, message=what)


def many(count: int, noun: str) -> str:
    """Write a count and its noun: ``1 symbol``, ``2 symbols``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def settled(never_existed: int, withdrawn: int) -> str:
    """Write how many trade ids were settled as never existed, and of how many that was taken back; nothing of none."""
    new = f", {many(never_existed, 'trade id')} settled as never existed" if never_existed else ""
    return new + (f", {many(withdrawn, 'trade id')} no longer settled as never existed" if withdrawn else "")


def contradicted(numberings: int, contradictions: int) -> str:
    """Write how often trade ids start again, and how many lines contradict a trade that is held; nothing of none."""
    again = f", trade ids start again {many(numberings, 'time')}" if numberings else ""
    lines = many(contradictions, "line")
    return again + (f", {lines} kept that contradict a trade under its id" if contradictions else "")


def judged(verdict: str, what: str, found: dict[str, Any]) -> State[Any]:
    """Return the state of a validation, its verdict first in the message: Failed on FAIL, else Completed.

    Outside a flow run its data is what was found, for ``--json``.
    """
    alive.wrote(found.get("rows"))
    make = Failed if verdict == "FAIL" else Completed
    data = found if FlowRunContext.get() is None else None
    return make(message=f"{verdict}: {what}", data=data)


def unknown(symbols: list[str] | None, known: list[str], reason: str) -> dict[str, str]:
    """Return the symbols that were asked for by name and are not known, with the reason, as failures."""
    return {name: reason for name in symbols or () if name not in known}


def ended(what: str, failed: dict[str, str], rows: int | None = None) -> State[Any]:
    """Return the state in which a flow ends: Failed, naming them, where an item failed, else Completed.

    ``rows`` is how many it wrote, for the heartbeat.
    """
    alive.wrote(rows)
    if not failed:
        return Completed(message=what)
    reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
    return Failed(message=f"{len(failed)} failed: {reasons} (done: {what})")
