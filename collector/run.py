"""The collector: streams into a buffer, the buffer into raw parts, until the time is up or a signal comes."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from filelock import Timeout
from loguru import logger

from collector.buffer import MOST_LINES, Buffer, Lines, Timed
from collector.listed import Listed, listed
from collector.session import STREAMS_PER_CONNECTION, url
from collector.stream import Line
from collector.vitals import Vitals
from collector.writer import Parts, by_slot
from lake import interrupts, locks, raw
from lake.errors import LakeError
from lake.layout import Layout, day_of
from lake.log import Seldom
from lake.settings import Settings
from lake.windows import SECOND_US

_FRAMES = "frames"
_WAIT_FOR_LOCK_S = 3  # a transform holds the lock for a moment while it takes a killed collector's parts over
_ORPHANS_OF_DAYS = 7


class AlreadyRunningError(LakeError):
    """Another collector holds the lock of this lake."""


@dataclass(frozen=True)
class Collected:
    """What a collector did: events written, frames quarantined or ignored, parts, connections made, seconds it ran."""

    trades: int
    quotes: int
    quarantined: int
    ignored: int
    parts: int
    connections: int
    seconds: float


def collect(
    settings: Settings, symbols: list[str] | None = None, duration: float | None = None, force: bool = False
) -> Collected:
    """Collect trades and best quotes into raw parts until ``duration`` seconds are over, or a signal asks it to end.

    Pairs that the exchange does not list are left out, unless ``force`` (`collector.listed`). Parts that an earlier
    collector left open get their names first. What has been received is written and every part
    closed before this returns.

    Raises:
        BadInputError: the exchange lists none of the pairs.
        AlreadyRunningError: another collector follows the exchange for this lake.
        LakeError: the lake cannot be written for so long that memory would run out.
    """
    names = list(symbols or settings.symbols)
    try:
        with locks.collector(settings.layout).acquire(timeout=_WAIT_FOR_LOCK_S):
            _close_orphans(settings.layout)
            return asyncio.run(_Collector(settings, listed(settings, names, force)).run(duration))
    except Timeout:
        raise AlreadyRunningError(f"{settings.layout.base}: a collector is running for this lake already") from None


def _close_orphans(layout: Layout) -> None:
    folders = [layout.raw_day(name, day) for name in layout.raw_symbols() for day in list(raw.days(layout, name))]
    root = layout.quarantine / _FRAMES
    folders += [folder for folder in (root.iterdir() if root.is_dir() else ()) if day_of(folder.name)]
    latest = sorted({folder.name for folder in folders})[-_ORPHANS_OF_DAYS:]
    for path in raw.take_over(
        path for folder in folders if folder.name in latest for path in raw.open_parts(folder)
    ):  # fmt: skip
        logger.warning("{}: left open by a collector that was killed, taken over", path)


class _Collector:
    def __init__(self, settings: Settings, found: Listed) -> None:
        self.settings, self.symbols = settings, found.symbols
        symbols = found.symbols
        self.buffer = Buffer(symbols)
        self.slot_us = round(settings.collector.rotate_seconds * SECOND_US)
        self.parts = Parts(settings.layout.raw_day, settings.collector.rotate_seconds)
        self.bad_parts = Parts(self._bad_folder, settings.collector.rotate_seconds, summed=False)
        size = STREAMS_PER_CONNECTION // 2
        groups = [symbols[at : at + size] for at in range(0, len(symbols), size)]
        self.lines = [Line(url(settings.binance.ws_url, group), self.buffer.take) for group in groups]
        self.vitals = Vitals(settings.layout, self.buffer, self.lines, found.unlisted)
        self.trouble = Seldom()

    def _bad_folder(self, _: str, day: date) -> Path:
        return self.settings.layout.quarantine / _FRAMES / day.isoformat()

    async def run(self, duration: float | None) -> Collected:
        async with self.vitals.told():
            return await self._run(duration)

    async def _run(self, duration: float | None) -> Collected:
        began = time.monotonic()
        stop, ending = asyncio.Event(), asyncio.Event()
        with _signals(stop):
            writing = asyncio.create_task(self._write_until(ending))
            others = [asyncio.create_task(line.follow()) for line in self.lines] + [asyncio.create_task(_set(stop))]
            await asyncio.wait([writing, *others], timeout=duration, return_when=asyncio.FIRST_COMPLETED)
            for task in others:
                task.cancel()
            ended = await asyncio.gather(*others, return_exceptions=True)
            ending.set()
            await writing
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome
        return self._result(time.monotonic() - began)

    async def _write_until(self, ending: asyncio.Event) -> None:
        """Every `collector.flush_seconds` hand what has come to the system, in a thread, so that reading goes on."""
        last = False
        while not last:
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), self.settings.collector.flush_seconds)
            last = ending.is_set()
            now = time.time_ns() // 1000
            lines, bad = self.buffer.hand_out()
            self.vitals.took(lines, self.buffer.hand_out_latencies(), now)
            left, bad, why = await asyncio.to_thread(self._append_all, lines, bad, now)
            self.buffer.give_back(left, bad)
            self.vitals.wrote(why)
            if why:
                self.trouble.log("ERROR", "write", f"{why}: {self.buffer.waiting:,} lines wait in memory")
            if self.buffer.waiting > MOST_LINES:
                raise LakeError(f"{self.settings.layout.raw}: cannot be written, and memory is full: free the disk")
        unnamed = [error for parts in (self.parts, self.bad_parts) if (error := _closed(parts))]
        if self.buffer.waiting:
            raise LakeError(
                f"{self.settings.layout.raw}: {self.buffer.waiting:,} lines that were received could not be written: "
                "free the disk and start again"
            )
        if unnamed:
            raise LakeError(
                f"{self.settings.layout.raw}: parts cannot be given their names ({unnamed[0]}): they are kept, and the "
                "next collector tries again; crypto-lake doctor looks at the disk"
            )

    def _append_all(self, lines: Lines, bad: Timed, now: int) -> tuple[Lines, Timed, str | None]:
        """Write lines and what is quarantined; return what could not be written of both, and why."""
        left, why = self._append(self.parts, lines, now)
        bad_left, why_bad = self._append(self.bad_parts, {_FRAMES: bad} if bad else {}, now)
        return left, bad_left.get(_FRAMES, []), why or why_bad

    def _append(self, parts: Parts, lines: Lines, now: int) -> tuple[Lines, str | None]:
        """Write lines, each symbol by itself. Returns those that could not be written, and why."""
        left: Lines = {}
        why: dict[str, str] = {}
        for name, timed in lines.items():
            rest = list(timed)
            try:
                for ts_recv, run in by_slot(timed, self.slot_us):
                    parts.append(name, ts_recv, run)
                    del rest[: len(run)]
            except OSError as error:
                left[name], why[name] = rest, error.strerror or str(error)
        try:
            parts.end_slots(now)
        except OSError as error:
            self.trouble.log(
                "ERROR", "name",
                f"{len(parts.unnamed)} parts cannot be given their names, the first because of: {error}; they are "
                "kept, and tried again when the next part ends: crypto-lake doctor looks at the disk",
            )  # fmt: skip
        return left, _summary(why)

    def _result(self, seconds: float) -> Collected:
        made = sum(line.connections for line in self.lines)
        buffer = self.buffer
        return Collected(
            buffer.trades, buffer.quotes, buffer.quarantined, buffer.ignored, self.parts.closed, made, round(seconds, 1)
        )


def _closed(parts: Parts) -> OSError | None:
    """Close every part; return why one cannot be given its name."""
    try:
        parts.close()
    except OSError as error:
        return error
    return None


def _summary(why: dict[str, str]) -> str | None:
    """Whose lines could not be written, and the reasons, in a line."""
    if not why:
        return None
    names = ", ".join(list(why)[:3]) + (f" and {len(why) - 3} more" if len(why) > 3 else "")
    return f"{names} cannot be written ({'; '.join(dict.fromkeys(why.values()))})"


async def _set(stop: asyncio.Event) -> None:
    await stop.wait()


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Set ``stop`` on SIGINT, SIGTERM and SIGHUP while the block runs; the handlers before it come back after it."""
    loop = asyncio.get_running_loop()
    before = {}
    with suppress(ValueError):  # not in the main thread: whoever runs the thread has the signals
        for number in {signal.SIGINT, signal.SIGTERM, *interrupts.heeded()}:  # `nohup … &` ignores SIGINT
            before[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
