"""`crypto-lake up --demo`: all that `up` runs, on a made-up market, so that it can be tried without any exchange.

Its lake is ``./demo-data``, made anew each time. Ports are those as shipped where they are free, and free ones else.
"""

import socket
import threading
from contextlib import suppress
from pathlib import Path

from deployments import demo_folder, started, up
from deployments import prefect_stack as stack
from deployments.demo_filler import Filler, say
from deployments.demo_folder import SYMBOLS
from deployments.demo_truth import Truth
from deployments.processes import Children
from lake import settings
from lake.layout import Layout
from lake.settings import Settings

RATE = 2.0
_LISTENERS = ("server", "dashboard", "docs")


def run(folder: Path = demo_folder.FOLDER) -> int:
    """Start the stand-in, then everything that `up` starts; until Ctrl-C or `down`. Return the exit code.

    Args:
        folder: Where its lake is made anew.

    Raises:
        BadInputError: the folder is there and is not one that a demo made.
        LakeError: the lake in it is up already.
    """
    base = folder.absolute()
    demo_folder.clear(base)
    environment = stack.inherited("PREFECT_", "LAKE_") | {
        settings.CONFIG_VARIABLE: str(base / "config.yml"), started.MARK: str(base)
    }  # fmt: skip
    with Children(environment, base / "logs" / "demo", stack.PROJECT) as children:
        try:
            urls = demo_folder.stand_in(children, base, RATE)
            config = demo_folder.configure(base, urls, _ports())
            stack.only(config, *(f"LAKE_{name.upper()}__PORT" for name in _LISTENERS))
            say(f"a made-up market of {', '.join(SYMBOLS)}; its lake is {base}")
            say(f"in another shell: export LAKE_CONFIG={config}; then crypto-lake status, health, sql, … are about it")
            say("candles come a minute after everything is up, the rest soon after; each is told here")
            return _up(Layout(base), Truth(urls["control_url"]), children)
        except KeyboardInterrupt:  # before `up` takes it for itself
            return 130


def _up(layout: Layout, truth: Truth, children: Children) -> int:
    over = threading.Event()

    def fill() -> None:
        where = {part["name"]: part["where"] for part in (up.status() or {"parts": []})["parts"]}
        filler = Filler(layout, truth, children, where, over)
        threading.Thread(target=filler.run, name="filler", daemon=True).start()

    try:
        return up.up(fill)
    finally:
        over.set()


def _ports() -> str:
    shipped = {name: Settings.model_fields[name].default.port for name in _LISTENERS}
    return "".join(f"{name}: {{port: {port if _is_free(port) else 0}}}\n" for name, port in shipped.items())


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False
