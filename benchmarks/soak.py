"""A lake kept up for hours against a stand-in, with a part killed every so often: what breaks, and what grows.

    python -m benchmarks.soak [--minutes 120] [--kill-every 120]

It ends with exit code 1 when a part is not back within 60 s, a run is stuck, or a trade is neither held nor known
missing.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
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


def memory(up: Up) -> float:
    """Return the MB that all processes hold."""
    return sum(process.memory_info().rss for process in up.everyone()) / 1e6


def stuck(up: Up) -> int:
    """Count the runs whose process is gone."""
    pids = [run.infrastructure_pid for run in up.api().active(POOL)]
    return sum(1 for pid in pids if pid and not psutil.pid_exists(int(pid)))


def main() -> int:
    """Keep it up, kill, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--kill-every", type=float, default=120, help="seconds")
    asked = parser.parse_args()
    chance, took, console, wrong = random.Random(1), defaultdict(list), Console(), []
    with tempfile.TemporaryDirectory() as folder:
        up = Up(Path(folder), None)
        try:
            up.start()
            sizes, end = [memory(up)], time.monotonic() + 60 * asked.minutes
            while time.monotonic() < end:
                time.sleep(max(0.0, min(asked.kill_every, end - time.monotonic())))
                sizes.append(memory(up))
                name = chance.choice(PARTS)
                pid = up.pid(name)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                took[name].append(back(up, name, pid))
                console.print(f"{name} killed, back after {took[name][-1]:.1f} s; {sizes[-1]:,.0f} MB", highlight=False)
            time.sleep(30)  # runs whose process is gone are looked for every 15 s
            if left := stuck(up):
                wrong.append(f"{left} runs are stuck")
            up.wait_for_new_parts()
            up.command("transform-hour")
            counted = {symbol: up.counted(symbol) for symbol in SYMBOLS}
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
    console.print(f"memory of all processes: {sizes[1]:,.0f} MB in the beginning, {sizes[-1]:,.0f} MB in the end")
    console.print(f"errors in the server's log: {errors}; wrong: {'; '.join(wrong) or 'nothing'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
