"""Klines into Parquet: ours beside python-binance, ccxt, the usual loop and eight requests by hand, in one run.

    python -m benchmarks.backfill [--days 30] [--symbols 3] [--runs 3] [--full | --only-full]

All ask the same stand-in, which answers 40 ms late, for the same minutes, made before. Runs alternate; medians count.
``--full`` adds half a year of 19 symbols by REST, beside what the exchange's weight limit allows, and by the archive;
``--only-full`` leaves out the rest.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from loguru import logger
from rich.console import Console
from rich.table import Table

from benchmarks import _rivals
from benchmarks._stand_in import StandIn, running
from lake import backfill
from lake.backfill_plan import Source
from lake.layout import Layout
from lake.spot import KLINES_WEIGHT
from lake.windows import DAY_US, MINUTE_US, Window, moment
from simulator.symbols import DEFAULT_SYMBOLS

LATENCY_MS = 40
LIMIT = 6000
"""The exchange's weight a minute."""
OURS, BY_HAND = "crypto-lake", "eight in flight, by hand"
RIVALS: dict[str, Callable[[str, list[str], int, int, Path], None]] = {
    BY_HAND: _rivals.by_hand, "python-binance": _rivals.python_binance, "ccxt": _rivals.ccxt,
    "loop, sleep 0.1 s": _rivals.loop,
}  # fmt: skip


def ours(sim: StandIn, symbols: list[str], window: Window, folder: Path, source: Source = "rest") -> None:
    """Do what the flow `backfill_binance` does."""
    layout = Layout(folder)
    info = backfill.ask(layout, sim.hosts, symbols, source)
    for symbol in symbols:
        backfill.run(layout, sim.hosts, backfill.Job(symbol, "1m", window, source), info)


@contextmanager
def timed(times: list[float]) -> Iterator[None]:
    """Add the seconds that a block takes."""
    began = time.perf_counter()
    yield
    times.append(time.perf_counter() - began)


def rows(folder: Path) -> int:
    """How many rows all Parquet files below a folder have."""
    found = duckdb.execute("SELECT count(*) FROM read_parquet($files)", {"files": f"{folder}/**/*.parquet"}).fetchall()
    return int(found[0][0])


def side_by_side(sim: StandIn, symbols: list[str], window: Window, runs: int) -> dict[str, float]:
    """Return the median seconds of each way."""
    start, end, url = window.start_us // 1000, window.end_us // 1000, sim.urls["rest_url"]
    ways: dict[str, Callable[[Path], None]] = {OURS: lambda folder: ours(sim, symbols, window, folder)}
    ways |= {name: lambda folder, way=way: way(url, symbols, start, end, folder) for name, way in RIVALS.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    wanted = len(symbols) * (window.end_us - window.start_us) // MINUTE_US
    for number in range(runs):
        for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
            with tempfile.TemporaryDirectory() as folder:
                with timed(times[name]):
                    ways[name](Path(folder))
                if rows(Path(folder)) != wanted:
                    sys.exit(f"{name}: {rows(Path(folder)):,} klines, expected {wanted:,}")
    return {name: statistics.median(found) for name, found in times.items()}


def shown(title: str, medians: dict[str, float]) -> Table:
    """Make the table of all ways with the targets."""
    table = Table("way", "seconds", "times ours", title=title)
    for name, seconds in sorted(medians.items(), key=lambda item: item[1]):
        table.add_row(name, f"{seconds:.2f}", f"{seconds / medians[OURS]:.2f}")
    best = min(seconds for name, seconds in medians.items() if name not in (OURS, BY_HAND))
    targets = (
        ("at least 3 x faster than the best of the three", best / medians[OURS], 3.0),
        ("not slower than eight in flight by hand", medians[BY_HAND] / medians[OURS], 1.0),
    )
    table.add_section()
    for text, ratio, least in targets:
        table.add_row(text, "met" if ratio >= least else "[red]missed[/]", f"{ratio:.2f}")
    return table


def full(sim: StandIn, symbols: list[str], window: Window) -> Table:
    """Fetch half a year of all symbols by REST, again, and by the archive."""
    days = (window.end_us - window.start_us) // DAY_US
    # A request holds 1000 minutes, and a symbol's first candle is asked for once.
    weight = len(symbols) * KLINES_WEIGHT * (-(-days * DAY_US // MINUTE_US // 1000) + 1)
    allowed = weight / LIMIT * 60
    table = Table(
        "run", "seconds", "times what the limit allows", "klines requests", title=f"{days} days x {len(symbols)}"
    )
    with tempfile.TemporaryDirectory() as by_rest, tempfile.TemporaryDirectory() as by_archive:
        plan: tuple[tuple[str, str, Source], ...] = (
            ("REST", by_rest, "rest"), ("REST, once more", by_rest, "rest"), ("archive", by_archive, "archive")
        )  # fmt: skip
        for name, folder, source in plan:
            times, before = list[float](), sim.klines_requests()
            with timed(times):
                ours(sim, symbols, window, Path(folder), source)
            ratio = f"{times[0] / allowed:.2f} ({allowed:.0f} s)" if name == "REST" else ""
            table.add_row(name, f"{times[0]:.1f}", ratio, f"{sim.klines_requests() - before:,}")
    return table


def main() -> None:
    """Run them and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--symbols", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only-full", action="store_true")
    asked = parser.parse_args()
    logger.remove()
    today = int(time.time() * 1e6) // DAY_US * DAY_US
    symbols, console = list(DEFAULT_SYMBOLS[: asked.symbols]), Console()
    window = Window(moment(today - asked.days * DAY_US), moment(today))
    if not asked.only_full:
        with running() as sim, tempfile.TemporaryDirectory() as warm:
            _rivals.by_hand(sim.urls["rest_url"], symbols, window.start_us // 1000, window.end_us // 1000, Path(warm))
            sim.slow(LATENCY_MS)
            medians = side_by_side(sim, symbols, window, asked.runs)
            title = f"{asked.days} days x {asked.symbols} symbols of 1m klines, {LATENCY_MS} ms; median of {asked.runs}"
            console.print(shown(title, medians))
    if asked.full or asked.only_full:
        with running() as sim:
            sim.slow(LATENCY_MS)
            console.print(full(sim, list(DEFAULT_SYMBOLS), Window(moment(today - 180 * DAY_US), moment(today))))


if __name__ == "__main__":
    main()
