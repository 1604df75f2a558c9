"""The clients of the stream port: who listens to what, what was sent to whom, and who is too slow."""

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Iterable
from typing import Any, Protocol

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from simulator.commands import Session
from simulator.frames import Frame, encode

GONE_KEPT = 200
"""Closed connections that ``/connections`` still tells of."""


class Sendable(Protocol):
    """What can be sent: a `Frame`, or something a fault has put in its place."""

    stream: str
    time_us: int
    ident: int | None

    def wire(self, combined: bool, micro: bool) -> bytes:
        """Return the WebSocket frame as bytes."""


class Client:
    """One open connection.

    Attributes:
        id: 1 for the first connection, and so on.
        sent: Frames sent, by stream.
        out: WebSocket frames not yet handed to the socket.
    """

    def __init__(self, ident: int, socket: ServerConnection, session: Session, path: str, opened_us: int) -> None:
        self.id, self.socket, self.session, self.path, self.opened_us = ident, socket, session, path, opened_us
        self.sent: Counter[str] = Counter()
        self.out: list[bytes] = []
        self.closed: str | None = None
        self.messages = 0
        self.recent: deque[float] = deque(maxlen=6)

    @property
    def buffered(self) -> int:
        """Bytes that wait in this process for the client to read."""
        return self.socket.transport.get_write_buffer_size()

    def flush(self) -> None:
        """Hand what is waiting to the socket."""
        if self.out and self.socket.protocol.state is State.OPEN and not self.socket.transport.is_closing():
            self.socket.transport.write(b"".join(self.out))
        self.out.clear()

    async def drain(self) -> None:
        """Wait until the client has read enough for more to be sent, or is gone."""
        if not self.closed:
            await self.socket.drain()

    def cut(self, reason: str) -> None:
        """Close the socket abruptly."""
        self.closed = self.closed or reason
        self.out.clear()
        self.socket.transport.abort()

    def public(self) -> dict[str, Any]:
        """Return it as JSON for the control port."""
        peer = self.socket.remote_address
        return {
            "id": self.id, "remote": f"{peer[0]}:{peer[1]}" if peer else None, "path": self.path,
            "opened_us": self.opened_us,
            "combined": self.session.combined, "time_unit": "MICROSECOND" if self.session.micro else "MILLISECOND",
            "streams": list(self.session.streams), "frames": self.sent.total(), "sent": dict(self.sent),
            "messages_in": self.messages, "buffered_bytes": 0 if self.closed else self.buffered, "closed": self.closed,
        }  # fmt: skip


class Hub:
    """All clients, and the index from stream to its listeners. Lives in the streams' event loop only.

    Attributes:
        emitted: By stream that anyone listened to: first and last id and number of frames that came due.
    """

    def __init__(self, buffer_limit: int) -> None:
        self._limit = buffer_limit
        self._clients: dict[int, Client] = {}
        self._gone: deque[dict[str, Any]] = deque(maxlen=GONE_KEPT)
        self._numbers = itertools.count(1)
        self._listeners: dict[str, list[Client]] = {}
        self.emitted: dict[str, list[Any]] = {}
        self.joined = asyncio.Event()
        self.subscribed = asyncio.Event()

    def join(self, socket: ServerConnection, session: Session, path: str, now_us: int) -> Client:
        """Add a connection."""
        client = Client(next(self._numbers), socket, session, path, now_us)
        self._clients[client.id] = client
        self.joined.set()
        self.index()
        return client

    def leave(self, client: Client, reason: str) -> None:
        """Forget a connection that has ended."""
        client.closed = client.closed or reason
        if self._clients.pop(client.id, None):
            self._gone.append(client.public())
        self.index()

    def index(self) -> None:
        """Build the index anew: a client came, went, or changed its subscriptions."""
        listeners: dict[str, list[Client]] = {}
        for client in self._clients.values():
            for stream in client.session.streams:
                listeners.setdefault(stream, []).append(client)
        self._listeners = listeners
        if listeners:
            self.subscribed.set()

    def clients(self) -> list[Client]:
        """Return the open connections."""
        return list(self._clients.values())

    def wanted(self, stream: str) -> bool:
        """Whether anyone listens to a stream."""
        return stream in self._listeners

    @property
    def idle(self) -> bool:
        """Whether nobody listens to anything."""
        return not self._listeners

    def connections(self) -> list[dict[str, Any]]:
        """Return the open connections and the last `GONE_KEPT` closed ones as JSON."""
        return [client.public() for client in self._clients.values()] + list(self._gone)

    def send(self, frames: Iterable[Frame | Sendable]) -> None:
        """Send frames to all who listen, in one write each; cut those whose unread bytes pass the limit."""
        listeners, touched = self._listeners, set()
        for frame in frames:
            stream = frame.stream
            for client in listeners.get(stream, ()):
                session = client.session
                client.out.append(frame.wire(session.combined, session.micro))
                client.sent[stream] += 1
                touched.add(client)
        for client in touched:
            self.flush(client)

    def flush(self, client: Client) -> None:
        """Write what waits for a client, or cut it where it does not read."""
        client.flush()
        if client.buffered > self._limit:
            client.cut(f"too slow: more than {self._limit} bytes unread")

    def note(self, frames: Iterable[Frame]) -> None:
        """Keep account of what was due on each stream."""
        for frame in frames:
            entry = self.emitted.get(frame.stream)
            if entry is None:
                self.emitted[frame.stream] = [frame.ident, frame.ident, 1]
            else:
                entry[1] = frame.ident
                entry[2] += 1

    def announce_shutdown(self, client: Client, now_us: int) -> None:
        """Tell one client that the server goes down: raw, or combined as stream ``!serverShutdown``."""
        event = f'{{"e":"serverShutdown","E":{now_us if client.session.micro else now_us // 1000}}}'
        client.out.append(
            encode(f'{{"stream":"!serverShutdown","data":{event}}}' if client.session.combined else event)
        )
        self.flush(client)
