"""A slice of 30 days and 3 symbols of seconds to Parquet: ours beside a bare DuckDB COPY of the same rows, in one run.

    python -m benchmarks.slice [LAKE] [RUNS]

LAKE is a folder of `benchmarks._lake`; what it lacks is made. The COPY names the same 90 files in the same order and
the same codec, and does nothing else: no order to keep, no coverage, no checksum, no receipt, no fsync. That is the
limit. Each way runs in a process of its own, by turns; printed are medians: seconds without imports, seconds of CPU,
peak memory. Beside them, what our memory does with ten times the days.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import _lake
from lake.layout import Layout
from lake.windows import DAY, Window

SYMBOLS = ["SOLUSDT", "SUIUSDT", "ADAUSDT"]
WAYS = ("ours", "bare COPY (limit)")
CODEC = "snappy"


def work(way: str, base: Path, days: int, out: Path) -> None:
    """Run one way in this process; print seconds, CPU, peak memory and rows as JSON."""
    import duckdb
    import pyarrow.parquet as pq

    from lake import export, slices

    layout, window = Layout(base), Window.of_day(_lake.FIRST)
    window = Window(window.start, window.start + days * DAY)
    began, cpu = time.perf_counter(), time.process_time()
    if way == "ours":
        export.slice_to(layout, slices.asked("bars", SYMBOLS, window, "1s", "parquet", CODEC), out)
    else:
        paths = [str(layout.day_file(symbol, day)) for symbol in SYMBOLS for day in window.days()]
        with duckdb.connect() as con:
            con.execute(f"COPY (FROM read_parquet($1)) TO '{out}' (FORMAT parquet, COMPRESSION {CODEC})", [paths])
    took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1024)
    print(json.dumps(took | {"peak": peak, "rows": pq.read_metadata(out).num_rows, "bytes": out.stat().st_size}))


def measured(way: str, base: Path, days: int) -> dict[str, float]:
    """Run one way in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "slice.parquet"
        command = [sys.executable, "-m", "benchmarks.slice", "--one", way, str(base), str(days), str(out)]
        os.sync()  # what the run before has left to write is not this one's
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout)
        return found


def main() -> None:
    """Run the ways by turns and print medians and their ratio."""
    if sys.argv[1:2] == ["--one"]:
        work(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5]))
        return
    base = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "crypto-lake-slices"
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    _lake.make(base, symbols=len(SYMBOLS), kline_days=0)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for way in [*WAYS] * runs:
        found[way].append(measured(way, base, _lake.DAYS))
    assert len({one["rows"] for each in found.values() for one in each}) == 1
    limit = statistics.median(one["seconds"] for one in found[WAYS[1]])
    print(f"{_lake.DAYS} days x {len(SYMBOLS)} symbols, {found['ours'][0]['rows']:,} rows, {CODEC}; median of {runs}")
    for way, each in found.items():
        took, cpu, peak, size = (
            statistics.median(one[key] for one in each) for key in ("seconds", "cpu", "peak", "bytes")
        )
        print(
            f"{way:18} {took:6.2f} s ({took / limit:.2f} x limit)   CPU {cpu:5.2f} s   peak {peak:5.0f} MB   "
            f"file {size / 1e6:.0f} MB"
        )
    few = measured("ours", base, _lake.DAYS // 10)
    print(f"memory: {_lake.DAYS // 10} days {few['peak']:.0f} MB, {_lake.DAYS} days {found['ours'][0]['peak']:.0f} MB")


if __name__ == "__main__":
    main()
