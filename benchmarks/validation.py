"""A day of 19 symbols against every rule: ours (Data Docs, report, verdict) beside bare Great Expectations, in one run.

    python -m benchmarks.validation [SYMBOLS] [RUNS]

Bare Great Expectations validates the same frames with the same expectations and builds its own pages once at the end:
that is the limit. The rival builds them by an action after each symbol-day. Each way runs in a process of its own, by
turns; printed are medians: seconds of the whole process, seconds without its imports, peak memory.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks import _bare
from lake import settings
from lake.files import write_parquet
from lake.layout import Layout
from lake.schemas import BARS, KLINES
from lake.windows import Window, micros

START = datetime(2025, 10, 20, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))
SECONDS = 86_400
WAYS = ("ours", "bare, pages once (limit)", "bare, pages each time (rival)")


def make(layout: Layout, symbol: str, seed: int) -> None:
    """Write a day of bars, with a hole of five seconds and a crossed quote, and the klines of their minutes."""
    chance = np.random.default_rng(seed)
    close = 100 + np.cumsum(chance.normal(0, 0.01, SECONDS)).round(4)
    count = chance.integers(1, 5, SECONDS)
    last = np.cumsum(count)
    bid = close - 0.01
    bid[500] = close[500] + 1
    volume = chance.random(SECONDS).round(6)
    values = {
        "symbol": pa.array([symbol] * SECONDS), "window_start": micros(START) + np.arange(SECONDS) * 1_000_000,
        "open": close, "high": close + 0.02, "low": close - 0.02, "close": close, "volume_base": volume,
        "volume_quote": volume * close, "trade_count": count, "vwap": close, "bid": bid, "ask": close + 0.01,
        "spread": close + 0.01 - bid, "taker_buy_base": volume / 2, "taker_buy_quote": volume * close / 2,
        "first_trade_id": last - count + 1, "last_trade_id": last, "complete": np.ones(SECONDS, dtype=bool),
    }  # fmt: skip
    columns = [pa.array(values[column.name]).cast(column.type) for column in BARS.columns]
    table = pa.table(columns, schema=BARS.empty().schema)
    kept = np.ones(SECONDS, dtype=bool)
    kept[1000:1005] = False
    write_parquet(layout.day_file(symbol, START.date()), table.filter(pa.array(kept)), "snappy")
    write_parquet(layout.kline_file(symbol, START.date(), "1m"), klines_of(symbol, values), "snappy")


def klines_of(symbol: str, bars: dict[str, Any]) -> pa.Table:
    """The minutes of these seconds, as the exchange would have published them."""
    minutes = {name: values.reshape(-1, 60) for name, values in bars.items() if name != "symbol"}
    sums = {"volume": "volume_base", "quote_volume": "volume_quote", "trades": "trade_count",
            "taker_base_vol": "taker_buy_base", "taker_quote_vol": "taker_buy_quote"}  # fmt: skip
    opens = minutes["window_start"][:, 0]
    values = {
        "symbol": pa.array([symbol] * len(opens)), "open_time": opens, "close_time": opens + 59_999_000,
        "open": minutes["open"][:, 0], "close": minutes["close"][:, -1],
        "high": minutes["high"].max(axis=1), "low": minutes["low"].min(axis=1),
        **{name: minutes[column].sum(axis=1) for name, column in sums.items()},
    }  # fmt: skip
    columns = {c.name: pa.array(values[c.name]).cast(c.type) for c in KLINES.columns if not c.added}
    return KLINES.conform(pa.table(columns))


def work(way: str, base: Path, symbols: list[str]) -> None:
    """Run one way in this process; print seconds without imports, and peak memory, as JSON."""
    import great_expectations  # noqa: F401  (seconds, the same for all)

    began = time.perf_counter()
    layout = Layout(base)
    with tempfile.TemporaryDirectory(dir=base) as scratch:
        if way == "ours":
            from expectations.validate import validate

            rows = validate(layout, symbols, WINDOW, now=WINDOW.end).rows
        else:
            rows = _bare.run(layout, symbols, WINDOW, Path(scratch) / "gx", each=way.endswith("(rival)"))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"rows": rows, "work": seconds, "peak": peak}))


def measured(way: str, symbols: list[str]) -> dict[str, float]:
    """Run one way in a process and a lake of its own; what it measured, and the seconds of the process."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "lake"
        for seed, symbol in enumerate(symbols):
            make(Layout(base), symbol, seed)
        began = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.validation", "--one", way, str(base), *symbols]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return {**json.loads(done.stdout.splitlines()[-1]), "whole": time.perf_counter() - began}


def main() -> None:
    """Run the ways by turns and print medians and ratios."""
    if sys.argv[1:2] == ["--one"]:
        work(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
        return
    symbols = list(settings.Settings().symbols)[: int(sys.argv[1]) if len(sys.argv) > 1 else 19]
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            found[way].append(measured(way, symbols))
    limit = {key: statistics.median(one[key] for one in found[WAYS[1]]) for key in ("work", "whole")}
    print(f"{len(symbols)} symbol-days, {found['ours'][0]['rows']:,} rows; median of {runs}")
    for way, each in found.items():
        work_s, whole_s, peak = (statistics.median(one[key] for one in each) for key in ("work", "whole", "peak"))
        print(
            f"{way:30} {whole_s:6.1f} s ({whole_s / limit['whole']:.2f} x limit)   without imports {work_s:6.1f} s "
            f"({work_s / limit['work']:.2f} x limit)   peak {peak:5.0f} MB"
        )


if __name__ == "__main__":
    main()
