"""Streamlit as a server on loopback: its settings, its port, who is answered, and an end that comes soon.

Why `lake.loopback` stands before it: Streamlit takes a WebSocket of any name that resolves to 127.0.0.1 for its own
page's, and on one of another origin asks an address on the internet which one this machine has.

Why not `streamlit run`: its server waits for every connection to close, without a limit, and then for Python to take
itself apart while a script may still be in the middle of a query, which aborts the process or hangs it. The dashboard
only reads, so that nothing is lost when it just goes.
"""

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading
import tomllib
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from lake import loopback, views
from lake.errors import BadInputError
from lake.settings import Settings

GRACE_S = 2.0
"""How long connections may take to close once the server is told to end."""
_ROOT = Path(__file__).resolve().parent.parent
_SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")


def run(settings: Settings) -> None:
    """Serve the dashboard on 127.0.0.1 and the port of the settings until SIGINT or SIGTERM; the process ends with it.

    Raises:
        BadInputError: Streamlit is not installed, or the port is taken.
    """
    try:
        from streamlit.web import bootstrap
    except ModuleNotFoundError:
        raise BadInputError(
            "the dashboard needs Streamlit: make install, or pip install 'crypto-lake[dashboard]'"
        ) from None
    import_module("gui.pages")  # half a second that the first page need not wait for
    port = free(settings.dashboard.port)
    told = tomllib.loads((_ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    bootstrap.load_config_options(
        {**_flat(told), "server_port": port, "server_address": "127.0.0.1", "browser_serverPort": port}
    )
    sys.stdout.write(f"dashboard: http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    leave = partial(_leave, settings)
    asyncio.run(_serve(leave))
    leave()


def free(port: int) -> int:
    """Return the port, or for 0 a free one.

    Raises:
        BadInputError: somebody else has it.
    """
    try:
        with socket.create_server(("127.0.0.1", port)) as found:
            return int(found.getsockname()[1])
    except OSError as error:
        raise BadInputError(f"dashboard.port {port}: {error.strerror}: set another, or 0 for a free one") from None


async def _serve(leave: Callable[[], None]) -> None:
    """Serve until a signal, then until all is closed or `GRACE_S` are over; a second signal is the end at once."""
    from streamlit.web import bootstrap
    from streamlit.web.server import Server
    from streamlit.web.server.starlette import starlette_server

    create = starlette_server.create_starlette_app
    starlette_server.create_starlette_app = lambda *given: loopback.Guard(create(*given))  # type: ignore[assignment]
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        if told.is_set():
            leave()
        last = threading.Timer(GRACE_S, leave)
        last.daemon = True
        last.start()
        loop.call_soon_threadsafe(told.set)

    for name in _SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
    script = str(_ROOT / "gui" / "app.py")
    server = Server(script, is_hello=False)
    await server.start()
    bootstrap.prepare_streamlit_environment(script)
    await told.wait()
    server.stop()
    await server.stopped


def _leave(settings: Settings) -> None:
    """End the process without taking Python apart; what queries have spilled onto the disk goes too."""
    for folder in views.spilled(settings.layout):
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Return sections and keys as Streamlit names its flags: theme_light_primaryColor."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{above}{name}_") if isinstance(value, dict) else {f"{above}{name}": value}
    return found
