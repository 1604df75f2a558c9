"""The only module that opens a socket: connect, read, reconnect, and hand over without a hole given a warning."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress

from loguru import logger
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException

from collector.frames import Event
from collector.session import Session

_SHORT_LIFE_S = 5.0
_WATCH_EVERY_S = 0.5

Take = Callable[[str | bytes, int], Event | None]


def retry_or_fatal(error: Exception) -> Exception | None:
    """Return None where connecting again may help, else the error.

    Over months everything passes: a network down, a proxy, a 5XX, a 429, a ban. Only an address that is none stays so.
    """
    if isinstance(error, InvalidURI):
        return error
    if not isinstance(error, (OSError, TimeoutError, EOFError, WebSocketException)):
        return error
    logger.warning("cannot connect ({}): trying again", str(error) or type(error).__name__)
    return None


class Stream:
    """One address, followed for ever: a connection that ends is followed by the next, with the library's backoff."""

    def __init__(self, url: str, take: Take) -> None:
        """Give each frame of ``url`` to ``take`` with the time it was received, in microseconds since 1970 UTC."""
        self.url, self._take = url, take
        self.session: Session | None = None
        self.connections = 0

    async def follow(self) -> None:
        """Read until cancelled.

        Raises:
            InvalidURI: the address is none.
        """
        async for socket in connect(
            self.url, compression=None, max_queue=4096, max_size=1 << 20, open_timeout=15, close_timeout=2,
            process_exception=retry_or_fatal,
        ):  # fmt: skip
            began = time.monotonic()
            self.connections += 1
            self.session = Session(began)
            logger.info("connected to {}", self.url.partition("?")[0])
            reason = await self._read(socket, self.session)
            logger.warning("connection {} ended after {:.0f} s: {}", self.connections, time.monotonic() - began, reason)
            if time.monotonic() - began < _SHORT_LIFE_S:
                await asyncio.sleep(random.uniform(0.5, 2.0))  # noqa: S311

    async def _read(self, socket: ClientConnection, session: Session) -> str:
        watch = asyncio.create_task(_give_up_when_silent(socket, session))
        try:
            async for frame in socket:
                event = self._take(frame, time.time_ns() // 1000)
                if event is not None:
                    session.saw(event, time.monotonic())
        except ConnectionClosed as error:
            return str(error)
        finally:
            watch.cancel()
        return f"closed by the exchange ({socket.close_code})"


async def _give_up_when_silent(socket: ClientConnection, session: Session) -> None:
    while not session.silent(time.monotonic()):  # noqa: ASYNC110 - silence is no event
        await asyncio.sleep(_WATCH_EVERY_S)
    logger.warning("no data: the connection is given up")
    socket.transport.abort()


class Line:
    """A stream that is not let go before its successor delivers, where there is time for one."""

    def __init__(self, url: str, take: Take) -> None:
        """Follow ``url``."""
        self._url, self._take = url, take
        self._streams: list[Stream] = []

    @property
    def connections(self) -> int:
        """How many connections have been made so far."""
        return sum(stream.connections for stream in self._streams)

    async def follow(self) -> None:
        """Read until cancelled. Trades that both connections bring during a handover are one trade, by their ids."""
        now, task = self._begin()
        successor: tuple[Stream, asyncio.Task[None]] | None = None
        try:
            while not task.done():
                await asyncio.wait([task], timeout=_WATCH_EVERY_S)
                if successor is None and now.session and now.session.wants_successor(time.monotonic()):
                    logger.info("the exchange is about to cut this connection: opening its successor")
                    successor = self._begin()
                if successor and successor[0].session and successor[0].session.last_data > successor[0].session.began:
                    await _end(task)
                    now, task = successor
                    successor = None
            task.result()
        finally:
            await _end(task)
            if successor:
                await _end(successor[1])

    def _begin(self) -> tuple[Stream, "asyncio.Task[None]"]:
        stream = Stream(self._url, self._take)
        self._streams.append(stream)
        return stream, asyncio.create_task(stream.follow())


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
