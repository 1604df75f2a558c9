"""A lake kept up for hours against a stand-in, with a part killed every so often: what breaks, and what grows.

    python -m benchmarks.soak [--minutes 120] [--kill-every 120]

It ends with exit code 1 when a part is not back within 60 s, a run is stuck, or a trade is neither held nor known
missing.
"""

import argparse
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing, suppress
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from deployments.prefect_stack import POOL
from tests.deployments.lake_up import SYMBOLS, Up

PARTS = ("collector", "worker", "server", "dashboard", "docs")
BACK_S = 60.0


def back(up: Up, name: str, pid: int) -> float:
    """Wait until a killed part is back; return the seconds it took, more than `BACK_S` where it was not."""
    began = time.monotonic()
    while time.monotonic() - began <= BACK_S:
        try:
            if up.everything_is_up() and up.pid(name) not in (pid, None):
                break
        except (OSError, ValueError, KeyError):
            pass  # being written
        time.sleep(0.5)
    return time.monotonic() - began


def size(up: Up) -> dict[str, float]:
    """Return what may grow: the memory of each part with its children and of `up` itself, open files, files on disk."""
    found, opened = {}, 0
    for name in ("up", *PARTS):
        part = psutil.Process(up.process.pid if name == "up" else up.pid(name))
        alone = name in ("up", "worker")  # a child of `up` is a part, one of the worker a run that comes and goes
        tree = [part] if alone else [part, *part.children(recursive=True)]
        found[f"{name}, MB"] = sum(process.memory_info().rss for process in tree) / 1e6
        opened += sum(process.num_fds() for process in tree)
    found["open files"] = opened
    for what, folder in (("Prefect's home, MB", up.layout.base / ".prefect"), ("logs, MB", up.layout.logs)):
        found[what] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    return found


def stuck(up: Up) -> int:
    """Count the runs whose process is gone."""
    pids = [run.infrastructure_pid for run in up.api().active(POOL)]
    return sum(1 for pid in pids if pid and not psutil.pid_exists(int(pid)))


def runs(up: Up) -> list[tuple[str, str, int]]:
    """Return how many runs of each flow ended how, out of Prefect's database."""
    asked = """SELECT flow.name, flow_run.state_name, count(*) FROM flow_run JOIN flow ON flow.id = flow_run.flow_id
               WHERE flow_run.state_name <> 'Scheduled' GROUP BY 1, 2 ORDER BY 1, 3 DESC"""
    with closing(sqlite3.connect(up.layout.base / ".prefect" / "prefect.db")) as con:
        return con.execute(asked).fetchall()


def main() -> int:
    """Keep it up, kill, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--kill-every", type=float, default=120, help="seconds")
    asked = parser.parse_args()
    chance, took, console, wrong = random.Random(1), defaultdict(list), Console(), []
    with tempfile.TemporaryDirectory() as folder:
        up = Up(Path(folder))
        try:
            up.start()
            sizes, end = [size(up)], time.monotonic() + 60 * asked.minutes
            while time.monotonic() < end:
                time.sleep(max(0.0, min(asked.kill_every, end - time.monotonic())))
                sizes.append(size(up))
                name = chance.choice(PARTS)
                pid = up.pid(name)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                took[name].append(back(up, name, pid))
                memory = sum(figure for what, figure in sizes[-1].items() if what.split(",")[0] in ("up", *PARTS))
                console.print(f"{name} killed, back after {took[name][-1]:.1f} s; {memory:,.0f} MB", highlight=False)
            time.sleep(30)  # runs whose process is gone are looked for every 15 s
            if left := stuck(up):
                wrong.append(f"{left} runs are stuck")
            up.wait_for_new_parts()
            up.command("transform-hour")
            counted = {symbol: up.counted(symbol) for symbol in SYMBOLS}
            of_runs = runs(up)
            errors = (up.layout.logs / "processes" / "server.log").read_text(encoding="utf-8").count("| ERROR")
            up.command("down")
        finally:
            up.close()
    wrong += [f"{name} was not back" for name, all_of_it in took.items() if max(all_of_it) > BACK_S]
    wrong += [f"{symbol}: {held} + {missing} is not {made}" for symbol, (held, missing, made) in counted.items()
              if held + missing != made]  # fmt: skip
    table = Table("part", "killed", "back after (median, s)", "worst (s)")
    for name, found in sorted(took.items()):
        table.add_row(name, str(len(found)), f"{sorted(found)[len(found) // 2]:.1f}", f"{max(found):.1f}")
    console.print(table)
    for symbol, (held, missing, made) in counted.items():
        console.print(f"{symbol}: {made:,} trades made, {held:,} held, {missing:,} known missing")
    table = Table("", "in the beginning", "in the middle", "in the end", "most")
    for what in sizes[0]:
        shown = (sizes[1][what], sizes[len(sizes) // 2][what], sizes[-1][what], max(one[what] for one in sizes))
        table.add_row(what, *(f"{figure:,.0f}" for figure in shown))
    console.print(table)
    console.print("runs: " + ", ".join(f"{flow} {count} {state}" for flow, state, count in of_runs))
    console.print(f"errors in the server's log: {errors}; wrong: {'; '.join(wrong) or 'nothing'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
