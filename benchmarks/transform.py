"""Raw lines to bars: ours beside pandas (the rival) and a bare parse of the JSON in DuckDB (the limit), in one run.

    python benchmarks/transform.py [LINES A SYMBOL] [SYMBOLS]

Prints the median of three runs of each and the ratios; the machine's speed cancels out of those.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd

from lake import transform
from lake.layout import Layout
from lake.windows import DAY_US, MINUTE_US, moment

START = 20_381 * DAY_US
RUNS = 3


def make(layout: Layout, symbol: str, lines: int) -> None:
    """Write an hour of raw lines, a third of them trades, in sixty parts."""
    chance, number, each = random.Random(symbol), 0, lines // 60
    folder = layout.raw_day(symbol, moment(START).date())
    folder.mkdir(parents=True)
    for minute in range(60):
        found = []
        for place in range(each):
            at = START + minute * MINUTE_US + place * MINUTE_US // each
            base = {"symbol": symbol, "ts_event": None, "ts_recv": at + 900, "price": None, "qty": None, "side": None}
            if place % 3 == 0:
                number += 1
                base |= {"ts_event": at, "price": f"{chance.uniform(90, 110):.8f}", "qty": f"{chance.random():.8f}",
                         "side": "buy", "bid": None, "ask": None, "stream": "trade", "trade_id": number}  # fmt: skip
            else:
                base |= {"bid": f"{chance.uniform(90, 100):.8f}", "ask": f"{chance.uniform(100, 110):.8f}",
                         "stream": "bookTicker", "update_id": place}  # fmt: skip
            found.append(json.dumps(base, separators=(",", ":")))
        (folder / f"part_{minute + 1:04d}.jsonl").write_text("\n".join(found) + "\n")


def ours(layout: Layout, symbols: list[str]) -> None:
    """Build every hour anew, ledger and all."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Layout(Path(folder))
        fresh.raw.parent.mkdir(parents=True)
        fresh.raw.symlink_to(layout.raw)
        for symbol in symbols:
            transform.run(fresh, symbol)


def parse_only(layout: Layout, symbols: list[str]) -> None:
    """Read each field of the same lines and count them."""
    con = duckdb.connect()
    for symbol in symbols:
        con.execute(
            "SELECT count(price), count(bid), max(ts_event), max(ts_recv), max(trade_id), count(qty), count(ask), "
            "count(side), count(stream), count(symbol) FROM read_json($f, format = 'newline_delimited')",
            {"f": f"{layout.raw}/{symbol}/*/*.jsonl"},
        ).fetchall()


def pandas(layout: Layout, symbols: list[str]) -> None:
    """Make bars of doubles, without proof, as most repositories do."""
    for symbol in symbols:
        parts = sorted((layout.raw / symbol).rglob("*.jsonl"))
        frame = pd.concat([pd.read_json(path, lines=True) for path in parts]).query("stream == 'trade'")
        frame = frame.drop_duplicates("trade_id").astype({"price": float, "qty": float}).sort_values("trade_id")
        frame["quote"] = frame["price"] * frame["qty"]
        groups = frame.groupby(frame["ts_event"] // 1_000_000)
        groups.agg({"price": ["first", "max", "min", "last"], "qty": "sum", "quote": "sum", "trade_id": "count"})


def timed(work: Callable[[], None]) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Run all three in turn and print medians and ratios."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    symbols = [f"S{n}USDT" for n in range(int(sys.argv[2]) if len(sys.argv) > 2 else 4)]
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        for symbol in symbols:
            make(layout, symbol, lines)
        ways = {"ours": ours, "bare parse (limit)": parse_only, "pandas (rival)": pandas}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(RUNS):
            for name, way in ways.items():
                times[name].append(timed(lambda way=way: way(layout, symbols)))
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"{lines * len(symbols):,} lines, {len(symbols)} symbols, 60 parts each; median of {RUNS}")
    for name, seconds in medians.items():
        print(f"{name:20} {seconds:7.2f} s   {seconds / medians['ours']:6.2f} x ours")


if __name__ == "__main__":
    main()
