"""What the layout of klines costs a reader: one file a symbol-day beside one file a symbol-month, in one run.

    python -m benchmarks.kline_layout [--days 180] [--symbols 19] [--runs 5]

Through the view `klines_1m`, and through exact file lists. The month files are made for this comparison alone, in the
folder of the month's first day, so that the same view reads them. Medians; runs alternate.
"""

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from lake import kline_store, views
from lake.layout import Layout
from lake.schemas import KLINES, UTC_US
from lake.windows import MINUTE_US

FIRST = date(2025, 5, 1)
PICKED = "S3USDT"
SELECT = "SELECT count(*), sum(close), max(volume)"


def make(days: Layout, months: Layout, symbols: list[str], dates: list[date]) -> None:
    """Write the same made-up klines in both layouts (not synced to the disk: reading is what is measured)."""
    for number, symbol in enumerate(symbols):
        chance, of_month = np.random.default_rng(number), defaultdict(list)
        for day in dates:
            times = kline_store.day_opens("1m", day)
            walk = 100 + np.cumsum(chance.normal(0, 0.01, len(times))).round(4)
            size = chance.exponential(50, len(times)).round(3)
            columns = [
                pa.array([symbol] * len(times)), pa.array(times, UTC_US), walk, walk + 0.01, walk - 0.01, walk, size,
                pa.array(times + MINUTE_US - 1000, UTC_US), (size * walk).round(6), chance.integers(1, 500, len(times)),
                size / 2, (size * walk / 2).round(6),
            ]  # fmt: skip
            table = KLINES.conform(pa.table(columns, names=[c.name for c in KLINES.columns if not c.added]))
            write(days.kline_file(symbol, day, "1m"), table)
            of_month[day.replace(day=1)].append(table)
        for month, tables in of_month.items():
            write(months.kline_file(symbol, month, "1m"), pa.concat_tables(tables))


def write(path: Path, table: pa.Table) -> None:
    """Write a file as `lake.files` does, without its care."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="snappy", row_group_size=86_400)


def by_view(layout: Layout, where: str) -> Callable[[], object]:
    """Ask the view, on a connection that is there already."""
    con = views.connect(layout)
    return lambda: con.execute(f"{SELECT} FROM klines_1m {where}").fetchall()


def by_files(paths: list[Path], where: str) -> Callable[[], object]:
    """Ask exactly these files."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    names = [str(path) for path in paths]
    return lambda: con.execute(f"{SELECT} FROM read_parquet($files) {where}", {"files": names}).fetchall()


def questions(layout: Layout, dates: list[date]) -> dict[tuple[str, str], Callable[[], object]]:
    """Return the questions by (what, how)."""
    one = dates[len(dates) // 2]
    span = f"'{one}' AND {{}} < '{one + timedelta(1)}'"
    own = layout.kline_file(PICKED, one, "1m")
    holding = own if own.exists() else layout.kline_file(PICKED, one.replace(day=1), "1m")
    in_day = f"window_start >= {span.format('window_start')}"
    everything = sorted(layout.backfill.rglob("klines_1m*.parquet"))
    mine = [path for path in everything if PICKED in path.parts]
    found = {
        ("one symbol, one day", "view"): by_view(layout, f"WHERE symbol = '{PICKED}' AND {in_day}"),
        ("one symbol, one day", "files"): by_files([holding], f"WHERE open_time >= {span.format('open_time')}"),
        ("one symbol, all days", "view"): by_view(layout, f"WHERE symbol = '{PICKED}'"),
        ("one symbol, all days", "files"): by_files(mine, ""),
        ("everything", "view"): by_view(layout, ""),
        ("everything", "files"): by_files(everything, ""),
    }
    if own.exists():  # a month file is not found by its date
        date_too = f"year = {one.year} AND month = {one.month} AND day = {one.day}"
        found["one symbol, one day", "view, date too"] = by_view(layout, f"WHERE symbol = '{PICKED}' AND {date_too}")
    return found


def main() -> None:
    """Make both, ask in turn, print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--symbols", type=int, default=19)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    dates = [FIRST + timedelta(number) for number in range(asked.days)]
    with tempfile.TemporaryDirectory() as folder:
        days, months = Layout(Path(folder) / "days"), Layout(Path(folder) / "months")
        make(days, months, [f"S{number}USDT" for number in range(asked.symbols)], dates)
        ways = {"day files": questions(days, dates), "month files": questions(months, dates)}
        times: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for _ in range(asked.runs):
            for layout, asks in ways.items():
                for key, ask in asks.items():
                    began = time.perf_counter()
                    ask()
                    times[(*key, layout)].append(time.perf_counter() - began)
        files = {name: len(list(at.backfill.rglob("*.parquet"))) for name, at in zip(ways, (days, months), strict=True)}
        size = {name: sum(path.stat().st_size for path in at.backfill.rglob("*.parquet")) / 1e6
                for name, at in zip(ways, (days, months), strict=True)}  # fmt: skip
    heads = [f"{name} (ms; {files[name]:,} files, {size[name]:,.0f} MB)" for name in ways]
    table = Table("question", "how", *heads, title=f"{asked.days} days x {asked.symbols} symbols of 1m klines")
    for what, how in ways["day files"]:
        cells = (times.get((what, how, name)) for name in ways)
        table.add_row(what, how, *(f"{statistics.median(found) * 1000:.1f}" if found else "" for found in cells))
    Console().print(table)


if __name__ == "__main__":
    main()
