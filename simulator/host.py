"""A thread with an event loop of its own, and the ports it serves: so the stand-in is one object in a test."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from simulator.ports import PortInUseError, bind

START_S = 20.0
Serve = Callable[[Mapping[str, socket.socket], Callable[[], None], asyncio.Event], Coroutine[Any, Any, None]]
"""Serves on listening sockets, says when it is ready, and returns after the event."""


class Host:
    """Ports that are open from `start` to `stop`, and a loop that serves them in a thread.

    Args:
        ports: Number by name; 0 takes a free one.
        serve: What serves them.
    """

    def __init__(self, ports: Mapping[str, int], serve: Serve) -> None:
        """Open nothing yet."""
        self._ports, self._serve = dict(ports), serve
        self._listeners: dict[str, socket.socket] = {}
        self._numbers: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Open the ports and begin; returns when they are served.

        Raises:
            PortInUseError: A port is taken.
        """
        for name, port in self._ports.items():
            try:
                self._listeners[name] = bind(name, port)
            except PortInUseError:
                self._close()
                raise
            self._numbers[name] = self._listeners[name].getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        self._ready.wait(START_S)
        if self.failure:
            self._thread.join()
            raise self.failure

    def stop(self) -> None:
        """Close everything; returns when no thread and no socket is left. Harmless when repeated."""
        loop, thread = self._loop, self._thread
        if loop and thread and thread.is_alive():
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._stopping.set)
            thread.join()
        self._close()

    def port(self, name: str) -> int:
        """Return the number of a port, also after `stop`."""
        return self._numbers[name]

    def call(self, job: Callable[[], Any]) -> Any:
        """Run a job in the loop and wait for it; where the loop does not run (any more), run it here."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive() or thread is threading.current_thread():
            return job()

        async def run() -> Any:
            return job()

        return asyncio.run_coroutine_threadsafe(run(), loop).result(START_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # handed to the thread that waits in `start`
            self.failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        await self._serve(self._listeners, self._ready.set, self._stopping)

    def _close(self) -> None:
        for listener in self._listeners.values():
            listener.close()
