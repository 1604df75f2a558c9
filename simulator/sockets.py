"""The stream port: handshakes, control messages, pings, limits and ends of connections."""

import asyncio
import logging
import socket
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame as WireFrame
from websockets.http11 import Request, Response

from simulator.commands import PathError, TooManyStreamsError, answer, open_path
from simulator.exchange import Exchange
from simulator.faults import Fault, Faults
from simulator.frames import encode
from simulator.hub import Client, Hub

_QUIET = logging.getLogger("simulator.sockets")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False


@dataclass(frozen=True)
class Limits:
    """The exchange's limits on a connection (web-socket-streams.md, "General WSS information", "WebSocket Limits").

    Attributes:
        ping_seconds: The server pings this often.
        pong_seconds: A pong must come within this time.
        life_seconds: A connection is closed after this time.
        messages_per_second: Incoming pings, pongs and JSON messages; one more cuts the connection.
        buffer_bytes: Unread bytes beyond which a slow client is cut (the stand-in's own choice).
    """

    ping_seconds: float = 20
    pong_seconds: float = 60
    life_seconds: float = 86_400
    messages_per_second: int = 5
    buffer_bytes: int = 16 << 20


class Counted(ServerConnection):
    """A connection that counts what comes in, pings and pongs too."""

    limit = 5
    over = False
    on_message: Any = None

    def process_event(self, event: Any) -> None:
        """Count a message; past the limit, close the connection."""
        if isinstance(event, WireFrame):
            if self.on_message:
                self.on_message()
            recent = self.__dict__.setdefault("recent", [])
            now = time.monotonic()
            recent.append(now)
            while recent[0] <= now - 1:
                recent.pop(0)
            if len(recent) > self.limit and not self.over:
                self.over = True
                self.protocol.fail(1008, "Too many requests")
                self.send_data()
        super().process_event(event)


class StreamPort:
    """Serves the streams. Create and use it inside the event loop."""

    def __init__(self, exchange: Exchange, hub: Hub, faults: Faults, limits: Limits) -> None:
        self._exchange, self._hub, self._faults, self._limits = exchange, hub, faults, limits
        self._server: Server | None = None

    async def start(self, listener: socket.socket) -> None:
        """Listen on a bound socket."""
        limits = self._limits
        connection = type("Counted", (Counted,), {"limit": limits.messages_per_second})
        self._server = await serve(
            self._handle, sock=listener, process_request=self._admit, compression=None,
            ping_interval=limits.ping_seconds, ping_timeout=limits.pong_seconds, close_timeout=1, max_size=1 << 20,
            create_connection=connection,
            server_header=None, logger=_QUIET,
        )  # fmt: skip

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server:
            self._server.close()
            for client in self._hub.clients():
                client.flush()
            try:
                await asyncio.wait_for(asyncio.shield(self._server.wait_closed()), 2)
            except TimeoutError:
                for client in self._hub.clients():
                    client.cut("the stand-in stops")
                await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        for fault in self._faults.active("refuse"):
            if self._faults.hit(fault):
                return connection.respond(HTTPStatus(fault.parameters["status"]), "refused by order\n")
        try:
            connection.session = open_path(request.path)  # type: ignore[attr-defined]
        except PathError as error:
            return connection.respond(HTTPStatus.NOT_FOUND, f"{error}\n")
        except TooManyStreamsError as error:
            return connection.respond(HTTPStatus.BAD_REQUEST, f"{error}\n")
        return None

    async def _handle(self, connection: ServerConnection) -> None:
        session, path = connection.session, connection.request.path if connection.request else ""  # type: ignore[attr-defined]
        client = self._hub.join(connection, session, path, self._exchange.now_us())
        connection.on_message = lambda: _count(client)  # type: ignore[attr-defined]
        try:
            async with asyncio.timeout(self._limits.life_seconds):
                async for message in connection:
                    self._reply(client, message)
        except TimeoutError:
            client.closed = f"life of {self._limits.life_seconds} s is over"
            await connection.close(1001, "connection life is over")
        except TooManyStreamsError as error:
            client.closed = str(error)
            await connection.close(1008, str(error))
        except ConnectionClosed:
            pass
        finally:
            over = "more than the allowed incoming messages per second" if connection.over else None  # type: ignore[attr-defined]
            self._hub.leave(client, over or f"closed with code {connection.close_code}")

    def _reply(self, client: Client, message: str | bytes) -> None:
        before = list(client.session.streams)
        client.out.append(encode(answer(client.session, message)))
        self._hub.flush(client)
        if list(client.session.streams) != before:
            self._hub.index()

    def carry_out(self, fault: Fault) -> None:
        """Do what a fault of the ``socket`` kind orders to the connections there are."""
        if fault.kind == "refuse":
            return
        for client in self._hub.clients():
            streams = client.session.streams
            if fault.connections and client.id not in fault.connections:
                continue
            if (fault.symbols or fault.streams) and not any(map(fault.about, streams)):
                continue
            if not self._faults.hit(fault):
                return
            if fault.kind == "drop":
                client.cut("dropped by order")
            elif fault.kind == "serverShutdown":
                self._hub.announce_shutdown(client, self._exchange.server_us())
            else:
                client.closed = "24 hours are over, by order"
                client.flush()
                client.socket.protocol.fail(1001, "connection life is over")
                client.socket.send_data()


def _count(client: Client) -> None:
    client.messages += 1
