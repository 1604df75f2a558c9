"""`crypto-lake demo`: the whole lake at work against a Binance stand-in, checked step by step, in a few minutes.

Everything is real but the exchange: a Prefect server with its worker, the collector over a WebSocket, every deployment.
It leaves no process behind, and its data in ``./demo-data``, made anew each time.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event

from rich.console import Console
from rich.markup import escape

from deployments import demo_folder, prefect_stack
from deployments import demo_history as history
from deployments import demo_steps as steps
from deployments.demo_steps import SYMBOLS, Demo
from deployments.demo_summary import summary
from deployments.demo_truth import Truth
from deployments.processes import Children
from lake.errors import LakeError
from lake.layout import Layout

COLLECT_S = 70.0
RATE = 5.0


def run(keep: bool = False, folder: Path = demo_folder.FOLDER) -> int:
    """Run the demo; return 0 only if each step did what it must.

    Args:
        keep: Leave everything running until Ctrl-C.
        folder: Where its lake is made anew.

    Raises:
        BadInputError: the folder is there and is not one that a demo made.
        LakeError: the lake in the folder is up.
    """
    console, base, began = Console(), folder.absolute(), time.monotonic()
    demo_folder.clear(base)
    port = prefect_stack.free_port()
    environment = prefect_stack.environment(base / ".prefect", port, config=base / "config.yml")
    with Children(environment, base / "logs" / "processes", prefect_stack.PROJECT) as children:
        try:
            demo = _started(console, base, port, children)
            _shown(console, demo, keep)
            console.print(summary(demo, time.monotonic() - began, keep))
            if keep:
                _wait_for_ctrl_c(console)
        except KeyboardInterrupt:
            console.print("Stopping what was started.")
            return 130
        except LakeError as error:
            said = f"[bold red]failed[/]  {escape(str(error))}\n        logs: {children.logs}"
            console.print(said, soft_wrap=True, highlight=False)
            return 1
    return 0


def _wait_for_ctrl_c(console: Console) -> None:
    console.print("Everything goes on until Ctrl-C.")
    with suppress(KeyboardInterrupt):
        while not Event().wait(1):  # on Windows a wait without an end does not hear Ctrl-C
            pass
    console.print("Stopping what was started.")


def _started(console: Console, base: Path, port: int, children: Children) -> Demo:
    """Start the stand-in and Prefect."""
    with console.status("stand-in: starting"):
        urls = demo_folder.stand_in(children, base, RATE)
    demo_folder.configure(base, urls)
    _say(console, "stand-in", f"made-up market of {', '.join(SYMBOLS)}: {urls['ws_url']}")
    with console.status("Prefect: starting"):
        api = prefect_stack.start_server(children, port)
        prefect_stack.deploy(children)
        prefect_stack.start_worker(children, api)
    _say(console, "Prefect", f"server, work pool, deployments, worker: {api.url}")
    return Demo(Layout(base), api, Truth(urls["control_url"]), children)


def _shown(console: Console, demo: Demo, keep: bool) -> None:
    """Let the lake do what it does, and check each result."""
    work: list[tuple[str, Callable[[], str]]] = [
        ("collect-live", lambda: steps.collect(demo)),
        ("import-frames", lambda: steps.import_yesterday(demo)),
        ("collecting", lambda: steps.collect_on(demo, COLLECT_S)),
        ("transform-hour", lambda: steps.transform(demo)),
        ("compact-day", lambda: steps.compact(demo)),
        ("backfill", lambda: history.backfill(demo)),
        ("parity", lambda: history.parity(demo)),
        ("validate-rules", lambda: steps.validate(demo)),
        ("derivatives", lambda: history.derivatives(demo)),
        ("macro-minute", lambda: history.macro(demo)),
        ("slice-export", lambda: steps.export(demo)),
        ("one collector", lambda: steps.second_collector(demo)),
    ]
    if not keep:
        work.append(("cancel", lambda: steps.stop_collector(demo)))
    work.append(("server's log", lambda: steps.read_server_log(demo)))
    for name, step in work:
        with console.status(f"{name} ..."):
            said = step()
        _say(console, name, said)


def _say(console: Console, name: str, said: str) -> None:
    console.print(f"[green]ok[/]  [bold]{name:<15}[/] {escape(said)}", highlight=False, soft_wrap=True)
