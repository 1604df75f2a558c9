"""Ports on loopback: taken before anything starts, so that one in use is told in a line; and HTTP served on them."""

import asyncio
import errno
import socket

import uvicorn
from starlette.applications import Starlette

from lake.loopback import Guard

HOST = "127.0.0.1"


class PortInUseError(OSError):
    """A port is taken; the message names it and what to do."""


class HttpServer:
    """A uvicorn server on a bound socket, inside a running loop, deaf to signals."""

    def __init__(self, app: Starlette | Guard, listener: socket.socket) -> None:
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )
        self._listener = listener

    async def start(self) -> None:
        """Serve until `stop`."""
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup(sockets=[self._listener])
        self._loop = asyncio.create_task(self._server.main_loop())

    async def stop(self) -> None:
        """Close the port and what is connected to it."""
        self._server.should_exit = True
        await self._loop
        await self._server.shutdown(sockets=[self._listener])


def bind(name: str, port: int) -> socket.socket:
    """Return a listening socket on loopback; port 0 takes a free one.

    Raises:
        PortInUseError: The port is taken.
    """
    # Without the protocol's name asyncio leaves Nagle's algorithm on, and every small answer takes 44 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        option = name.replace("_", "-")
        raise PortInUseError(
            f"port {port} ({option}) is in use: stop what listens there, or give --{option} 0"
        ) from None
    listener.setblocking(False)
    return listener
