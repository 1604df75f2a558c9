"""``crypto-lake simulate``: the stand-in in the foreground."""

import json
import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.panel import Panel

from simulator.ports import PortInUseError
from simulator.replay import ReplayError
from simulator.server import Simulator
from simulator.symbols import DEFAULT_SYMBOLS

_PORT = {"min": 0, "max": 65535}


def simulate(
    symbols: Annotated[str, typer.Option(help="Pairs to list, separated by commas.")] = ",".join(DEFAULT_SYMBOLS),
    seed: Annotated[
        int, typer.Option(min=0, help="Chooses the market: the same seed and start make the same trades.")
    ] = 0,
    ws_port: Annotated[int, typer.Option(**_PORT, help="Port of the streams; 0 takes a free one.")] = 9001,
    rest_port: Annotated[int, typer.Option(**_PORT, help="Port of the REST endpoints; 0 takes a free one.")] = 9002,
    control_port: Annotated[int, typer.Option(**_PORT, help="Port of truth, faults and connections; 0: free.")] = 9003,
    rate: Annotated[float, typer.Option(help="Trades per second of an average pair.")] = 1.0,
    quote_rate: Annotated[
        float | None, typer.Option(help="Best quotes per second; four times the rate if left out.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="The market's first UTC day, such as 2026-01-01; 200 days back if left out.")
    ] = None,
    replay: Annotated[Path | None, typer.Option(help="Recorded frames to send instead of the made-up market.")] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Factor on the recorded pace; 0 is as fast as the clients read.")
    ] = 1.0,
    replay_all: Annotated[
        bool, typer.Option(help="Send every recorded frame to every client, subscribed or not.")
    ] = False,
    archive_folder: Annotated[
        Path | None, typer.Option(help="Zips (and .CHECKSUMs) to serve in place of made-up ones of the same name.")
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the addresses here, as JSON, once everything listens.")
    ] = None,
) -> None:
    """Run a Binance stand-in on this machine: streams, REST, USD-M, archive, faults on demand. Ends on Ctrl-C."""
    out, err = Console(), Console(stderr=True)
    try:
        sim = Simulator(
            [name.strip() for name in symbols.split(",") if name.strip()], seed, start_us=_day(start), rate=rate,
            quote_rate=quote_rate, ws_port=ws_port, rest_port=rest_port, control_port=control_port, replay=replay,
            replay_speed=speed or None, replay_all=replay_all, archive_folder=archive_folder,
        )  # fmt: skip
        stop = _stop_on_signals()
        sim.start()
    except (PortInUseError, ReplayError, ValueError) as error:
        err.print(f"simulate: {error}", style="red", soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(2) from None
    try:
        if ready_file:
            write_ready(ready_file, sim)
        out.print(banner(sim))
        while not stop.wait(1) and not sim.failure:
            pass
    finally:
        sim.stop()
        if ready_file:
            ready_file.unlink(missing_ok=True)
    if sim.failure:
        err.print(f"simulate: stopped by itself: {sim.failure!r}: please report this", style="red", soft_wrap=True)
        raise typer.Exit(1)
    out.print("The stand-in has stopped.")


def banner(sim: Simulator) -> Panel:
    """Return the addresses, and the lines to paste so that crypto-lake uses them."""
    return Panel(
        f"streams  {sim.ws_url}\nREST     {sim.rest_url} (spot, USD-M, archive)\ncontrol  {sim.control_url}\n\n"
        f"{''.join(f'export {name}={url}{chr(10)}' for name, url in _settings(sim).items())}\n"
        f'Drop every connection:  curl -X POST {sim.control_url}/faults -d \'{{"kind": "drop"}}\'',
        title="Binance stand-in: made-up market data",
        expand=False,
    )


def _settings(sim: Simulator) -> dict[str, str]:
    return {
        "LAKE_BINANCE__WS_URL": sim.ws_url,
        "LAKE_BINANCE__REST_URL": sim.rest_url,
        "LAKE_BINANCE__FUTURES_URL": sim.futures_url,
        "LAKE_BINANCE__ARCHIVE_URL": sim.archive_url,
        "LAKE_MACRO_MINUTE__YAHOO_URL": sim.yahoo_url,
    }


def write_ready(path: Path, sim: Simulator) -> None:
    """Write the addresses and this process's id as JSON, whole or not at all."""
    names = ("ws_url", "rest_url", "futures_url", "archive_url", "yahoo_url", "control_url")
    urls = {name: getattr(sim, name) for name in names} | {"pid": os.getpid()}
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(urls), encoding="utf-8")
    draft.replace(path)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


def _day(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        raise ValueError(f"--start {text!r}: expected a UTC day such as 2026-01-01") from None


def main() -> None:
    """Run ``python -m simulator.cli`` or ``python -m simulator``."""
    typer.run(simulate)
