"""The stand-in as one object: what it is made of, three ports and one thread that serves them."""

import asyncio
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lake import loopback
from simulator.budget import budgets
from simulator.control import control_app
from simulator.exchange import Exchange, Plan, wall_clock
from simulator.host import Host
from simulator.hub import Hub
from simulator.ports import HttpServer
from simulator.pump import Pump
from simulator.replay import Replay
from simulator.rest import rest_app
from simulator.running import Running
from simulator.sockets import Limits, StreamPort
from simulator.symbols import DEFAULT_SYMBOLS, Listing
from simulator.tamper import Tamper


class Simulator(Running):
    """A Binance stand-in on loopback.

    ``with Simulator(symbols=["SOLUSDT"], seed=7) as sim:`` listens on three free ports and stops without a trace.
    The same arguments (with ``start_us`` and ``live_us`` given) make the same market. All methods may
    be called from any thread.
    """

    def __init__(
        self,
        symbols: Iterable[str | Listing] = DEFAULT_SYMBOLS,
        seed: int = 0,
        *,
        start_us: int | None = None,
        live_us: int | None = None,
        rate: float = 1.0,
        quote_rate: float | None = None,
        history_rate: float | None = None,
        clock: Callable[[], int] = wall_clock,
        ws_port: int = 0,
        rest_port: int = 0,
        control_port: int = 0,
        limits: Limits | None = None,
        weight_limit: int = 6000,
        request_limits: Mapping[str, int] | None = None,
        beat_seconds: float = 0.01,
        replay: Path | str | None = None,
        replay_speed: float | None = 1.0,
        replay_all: bool = False,
        replay_waits: bool = True,
        market: bool | None = None,
        archive_folder: Path | str | None = None,
        yahoo_folder: Path | str | None = None,
    ) -> None:
        """Prepare; `start` (or ``with``) opens the ports.

        Args:
            symbols: Pairs to list; those not in the default list get a price derived from their name.
            seed: Chooses the market.
            start_us: The market's first moment, µs since 1970 UTC (default: 200 days before today, UTC).
            live_us: From here on ``rate`` holds, before it ``history_rate`` (default: this hour).
            rate: Trades per second of a pair of liquidity 1; the default pairs have 0.05 to 3 times as many.
            quote_rate: Best quotes per second (default: four times ``rate``).
            history_rate: Trades per second in the past (default: ``rate``, at most 1).
            clock: Returns µs since 1970 UTC; a test's own clock makes the live session stand still or jump.
            ws_port: Port of the streams; 0 takes a free one.
            rest_port: Port of the REST endpoints.
            control_port: Port of truth, faults and connections.
            limits: Pings, life, incoming messages, unread bytes.
            weight_limit: REST weight of the spot endpoints per minute and address.
            request_limits: The other limits per address: ``futures`` (weight per minute, 2400), ``funding`` and
                ``open_interest`` (requests per five minutes, 500 and 1000).
            beat_seconds: How often the streams send what has come due.
            replay: A file of recorded frames to send over the streams.
            replay_speed: 1 keeps the recorded pace, 10 is ten times as fast, None as fast as the clients read.
            replay_all: Send every recorded frame to every client, subscribed or not.
            replay_waits: Begin when the first client has subscribed, not at once.
            market: Whether the made-up market is sent too (default: only without ``replay``).
            archive_folder: A file lying here, such as ``BTCUSDT-1m-2020-01-01.zip`` or its ``.CHECKSUM``, is served
                in place of a made-up one of that name.
            yahoo_folder: Recorded payloads of Yahoo's to serve in place of made-up ones.
        """
        plan = Plan(tuple(symbols), seed, start_us, live_us, rate, quote_rate, history_rate)
        ports = {"ws_port": ws_port, "rest_port": rest_port, "control_port": control_port}
        super().__init__(Exchange(plan, clock), Host(ports, self._serve))
        self.limits = limits or Limits()
        self._budgets = budgets({"spot": weight_limit, **(request_limits or {})})
        self._archive_folder = _folder(archive_folder)
        self._beat_seconds = beat_seconds
        self._replay_plan = (Path(replay), replay_speed, replay_all, replay_waits) if replay else None
        self._market_on = market if market is not None else replay is None
        self._yahoo_folder = Path(yahoo_folder) if yahoo_folder else None

    def start(self) -> Self:
        """Open the ports and begin.

        Raises:
            PortInUseError: A port is taken.
        """
        self._host.start()
        return self

    def stop(self) -> None:
        """Close everything; returns when no thread and no socket is left. Harmless when repeated."""
        self._host.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _serve(
        self, listeners: Mapping[str, socket.socket], ready: Callable[[], None], stopping: asyncio.Event
    ) -> None:
        self.hub = Hub(self.limits.buffer_bytes)
        if self._replay_plan:
            path, speed, everything, waits = self._replay_plan
            self.replay = Replay(path, self.hub, speed, everything=everything, waits=waits)
        self._streams = StreamPort(self.exchange, self.hub, self.faults, self.limits)
        pump = Pump(self.exchange, self.hub, Tamper(self.faults), self._beat_seconds, self._silent)
        rest = rest_app(self.exchange, self.faults, self._budgets, self._archive_folder, self._yahoo_folder)
        control = loopback.Guard(control_app(self))
        servers = [HttpServer(rest, listeners["rest_port"]), HttpServer(control, listeners["control_port"])]
        await self._streams.start(listeners["ws_port"])
        for server in servers:
            await server.start()
        jobs = [asyncio.create_task(job.run()) for job in (pump, self.replay) if job]
        ready()
        asked = asyncio.create_task(stopping.wait())
        try:
            await _first_failure_or(asked, jobs)
        finally:
            for task in [*jobs, asked]:
                task.cancel()
            await asyncio.gather(*jobs, asked, return_exceptions=True)
            await asyncio.gather(self._streams.stop(), *(server.stop() for server in servers))

    def _silent(self, symbol: str) -> bool:
        return not self._market_on or self.exchange.stopped(symbol)

    @property
    def failure(self) -> BaseException | None:
        """What ended the stand-in without being asked to, or None."""
        return self._host.failure


async def _first_failure_or(asked: asyncio.Task[Any], jobs: Iterable[asyncio.Task[None]]) -> None:
    """Wait until the end is asked for; a job that fails before raises what ended it, one that is done is done."""
    left = set(jobs)
    while not asked.done():
        done, left = await asyncio.wait({asked, *left}, return_when=asyncio.FIRST_COMPLETED)
        left -= {asked}
        for task in done:
            task.result()


def _folder(path: Path | str | None) -> Path | None:
    if path is not None and not Path(path).is_dir():
        raise ValueError(f"archive folder {path}: expected a folder of zips and their CHECKSUMs")
    return None if path is None else Path(path)
