"""Recorded frames, sent again over the stream port byte for byte."""

import asyncio
import gzip
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from lake import stamps
from lake.errors import BadInputError
from simulator.frames import encode
from simulator.hub import Client, Hub

_LINE = re.compile(rb"(\d+(?:\.\d+)?):? (.*)")
_NO_FRAME = (b"ws://", b"wss://", b"http://", b"https://", b"configuration: ")
"""How cryptofeed's own lines begin: connections, requests, and its header."""
_WRAPPED = re.compile(rb'\{"stream":"([^"]+)","data":(.*)\}', re.DOTALL)
_BATCH = 500
_MEGA = 1_000_000


class Recorded(NamedTuple):
    """One recorded frame: receive time (µs since 1970 UTC), verbatim text, its stream and payload where wrapped."""

    time_us: int
    text: bytes
    stream: str | None
    payload: bytes


class ReplayError(ValueError):
    """The file is none of the known formats; the message names file and line."""


def read_frames(path: Path) -> Iterator[Recorded]:
    """Yield the frames of a recording, gzip or plain.

    Lines are ``<time> <json>`` (hftbacktest) or ``<time>: <json>`` (cryptofeed, whose own lines are passed over); the
    time is in s, ms, µs or ns since 1970 UTC.

    Raises:
        ReplayError: A line is neither.
    """
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip(b"\r\n")
            if not line.strip() or line.startswith(_NO_FRAME):
                continue
            match = _LINE.fullmatch(line)
            if not match:
                raise ReplayError(
                    f"{path} line {number}: expected `<time> <json>` or `<time>: <json>`, found {line[:60]!r}"
                )
            stamp, text = match.groups()
            try:
                time_us = stamps.micros(stamp.decode())
            except BadInputError as error:
                raise ReplayError(f"{path} line {number}: {error}") from None
            wrapped = _WRAPPED.fullmatch(text)
            if wrapped:
                yield Recorded(time_us, text, wrapped[1].decode(), wrapped[2])
            else:
                yield Recorded(time_us, text, None, text)


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")


class Replay:
    """Sends a recording over a hub. Nothing is dropped: a client that reads slowly slows the replay down.

    Attributes:
        state: ``waiting`` for a first subscriber, ``running``, ``ended`` (connections stay open), or ``failed``.
        frames: Frames taken from the file so far.
    """

    def __init__(
        self, path: Path, hub: Hub, speed: float | None, *, everything: bool = False, waits: bool = True
    ) -> None:
        """Prepare.

        Args:
            path: The recording.
            hub: Whom to send to.
            speed: Factor on the recorded pace; None sends as fast as the clients read.
            everything: Send every frame to every client, subscribed or not.
            waits: Begin when the first client has subscribed (with ``everything``: has connected).
        """
        if speed is not None and speed <= 0:
            raise ValueError(f"replay speed {speed}: expected a factor above 0, or none for as fast as possible")
        if not path.is_file():
            raise ReplayError(f"{path}: no such file: name a recording to replay")
        self._path, self._hub, self._speed, self._everything, self._waits = path, hub, speed, everything, waits
        self.state, self.frames, self.error = "waiting", 0, ""

    def public(self) -> dict[str, Any]:
        """Return the progress as JSON for the control port."""
        return {"state": self.state, "file": self._path.name, "frames": self.frames, "error": self.error}

    async def run(self) -> None:
        """Replay the whole file, then rest."""
        if self._waits:
            await (self._hub.joined if self._everything else self._hub.subscribed).wait()
        self.state = "running"
        try:
            await self._send_all()
        except (ReplayError, OSError, EOFError, UnicodeDecodeError) as error:
            self.state, self.error = "failed", str(error)
            return
        self.state = "ended"

    async def _send_all(self) -> None:
        began, first_us = time.monotonic(), None
        touched: set[Client] = set()
        for frame in read_frames(self._path):
            first_us = frame.time_us if first_us is None else first_us
            if self._speed is not None:
                ahead = (frame.time_us - first_us) / _MEGA / self._speed - (time.monotonic() - began)
                if ahead > 0.002:
                    await self._flush(touched)
                    await asyncio.sleep(ahead)
            self._give(frame, touched)
            self.frames += 1
            if self.frames % _BATCH == 0:
                await self._flush(touched)
        await self._flush(touched)

    def _give(self, frame: Recorded, touched: set[Client]) -> None:
        for client in self._hub.clients():
            session = client.session
            if not self._everything and (frame.stream is None or frame.stream not in session.streams):
                continue
            client.out.append(encode(frame.text if session.combined else frame.payload))
            client.sent[frame.stream or ""] += 1
            touched.add(client)

    async def _flush(self, touched: set[Client]) -> None:
        for client in touched:
            client.flush()
        for client in touched:
            await client.drain()
        touched.clear()
        await asyncio.sleep(0)
