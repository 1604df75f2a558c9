"""The collector's sign of life, and the heartbeat of the whole lake, while it collects."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from collector.buffer import Buffer, Lines
from collector.latency import Latencies
from collector.stream import Line
from lake import health
from lake.layout import Layout
from lake.log import Seldom
from lake.windows import iso, micros, moment

SAY_EVERY_S = 10.0
WRITE_EVERY = 2
"""So many signs for each heartbeat: one every 20 s, so that it tells of an `up` that died within 90 s: 60 and these."""


class Vitals:
    """What the collector tells of itself: latencies, the last frame, counts. It never holds collecting up."""

    def __init__(
        self, layout: Layout, buffer: Buffer, lines: Sequence[Line], unlisted: Sequence[str] = ()
    ) -> None:  # fmt: skip
        """Tell about these, and about pairs that are not recorded; nothing is said yet."""
        self._unlisted = list(unlisted)
        self._layout, self._buffer, self._lines = layout, buffer, lines
        self._latencies = Latencies()
        self._last_seen: int | None = None
        self._began = datetime.now(UTC)
        self._news, self._ended = asyncio.Event(), False
        self._unwritten: str | None = None
        self._unwritten_since = self._began
        self._trouble = Seldom()

    def took(self, lines: Lines, latencies: list[int], now: int) -> None:
        """Note what was received since the last time: lines by symbol in their order, and latencies of trades (µs)."""
        self._latencies.add(latencies, now)
        newest = max((timed[-1][0] for timed in lines.values() if timed), default=None)
        if newest and self._last_seen is None:
            self._news.set()
        self._last_seen = newest or self._last_seen

    def wrote(self, why: str | None) -> None:
        """Note whether all that was received is written, or why not; both are said at once."""
        if (why is None) != (self._unwritten is None):
            self._unwritten_since = datetime.now(UTC)
            self._news.set()
        self._unwritten = why

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Say signs of life while the block runs, and at its end how it ended."""
        telling = asyncio.create_task(self._tell())
        error = None
        try:
            yield
        except Exception as failure:
            error = str(failure) or type(failure).__name__
            raise
        finally:
            self._ended = True
            self._news.set()
            with suppress(asyncio.CancelledError):
                await telling
            self._say("error" if error else "stopped", self._fields() | {"last_error": error}, write=True)

    async def _tell(self) -> None:
        """Say a sign every `SAY_EVERY_S`, and at once what is new, so that nobody waits for it to read running."""
        number = 0
        while not self._ended:
            await asyncio.to_thread(self._say, "running", self._fields(), number % WRITE_EVERY == 0)
            number += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), SAY_EVERY_S)
                number = 0
            self._news.clear()

    def _fields(self) -> dict[str, Any]:
        buffer = self._buffer
        p50, p95 = self._latencies.quantiles_ms(micros(datetime.now(UTC)), 0.5, 0.95)
        return {
            "started_ts": iso(self._began), "last_seen_ts": self._last_seen and iso(moment(self._last_seen)),
            "last_latency_p50_ms": p50, "last_latency_p95_ms": p95, "trades": buffer.trades, "quotes": buffer.quotes,
            "quarantined": buffer.quarantined, "waiting": buffer.waiting,
            "connections": sum(line.connections for line in self._lines), "unwritten": self._unwritten,
            "unlisted": self._unlisted,
            "unwritten_since_ts": iso(self._unwritten_since) if self._unwritten else None,
        }  # fmt: skip

    def _say(self, status: str, fields: dict[str, Any], write: bool) -> None:
        try:
            try:
                health.say(self._layout, "collector", status, datetime.now(UTC), **fields)
            finally:  # the heartbeat tells of a full disk where the sign has no room
                if write:
                    health.write(self._layout, datetime.now(UTC))
        except Exception as error:
            self._trouble.log("WARNING", "sign", f"the sign of life could not be said: {error}")
