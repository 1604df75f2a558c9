"""The campaign against bit rot: single bits flipped in every kind of file, and what becomes of each.

    python -m benchmarks.bit_rot [FLIPS] [SEED]

400 flips of each kind by default: compacted days, hour files, raw parts, klines; every second one in the last 2,000
bytes, where the footer of a Parquet file is. After each flip a late trade and a new candle come: bars are built, the
day is compacted, candles are merged, as the flows do it. Then the scrub runs. Printed for each kind: how many flips got
into a new file before the scrub, how many values the views served after it that the lake should not have, and how many
flips nobody noticed. Where one of them is not 0, the exit code is 1.
"""

import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from loguru import logger

from lake import compact, damage, kline_store, read, scrub, transform, views
from lake.errors import DamagedError, LakeError
from lake.layout import Layout
from tests.conftest import Raw
from tests.lake.test_views import candles, put

Kind = Literal["day", "hour", "raw", "klines"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DAY, NOW, SYMBOL = date(2025, 10, 20), datetime(2025, 10, 22, 12, tzinfo=UTC), "SOLUSDT"
Rows = set[tuple[Any, ...]]
_VIEWS = ("SELECT * EXCLUDE (exchange, complete) FROM bars_1s", "SELECT * EXCLUDE (year, month, day) FROM klines_1m")


def made(base: Path, kind: Kind) -> Layout:
    """Return a lake with two hours of bars out of two raw parts, and candles; compacted unless hour files are asked."""
    layout, raw = Layout(base), Raw(Layout(base))
    trades = [raw.trade(n, n * 60, f"{100 + n % 7}.5") for n in range(1, 81)]
    raw.put(*trades[:40], raw.quote(1, 601))
    raw.put(*trades[40:])
    transform.run(layout, SYMBOL)
    put(layout, SYMBOL, *range(0, 1430, 10))
    if kind != "hour":
        compact.run(layout, SYMBOL, DAY)
    return layout


def flip(path: Path, bit: int) -> None:
    """Flip a bit in place, as rot does: neither the file's size nor its time changes."""
    state, data = path.stat(), bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def target(layout: Layout, kind: Kind) -> Path:
    """Return the file of a kind that bits are flipped in."""
    if kind == "klines":
        return layout.kline_file(SYMBOL, DAY, "1m")
    if kind == "raw":
        return layout.raw_day(SYMBOL, DAY) / "part_0001.jsonl"
    hours = list(layout.hour_files(SYMBOL, DAY).values())
    return hours[0] if kind == "hour" else layout.day_file(SYMBOL, DAY)


def flow(layout: Layout) -> None:
    """Do what the flows do when a late trade and a candle have come; what they refuse is done by their next run."""
    Raw(layout).put(Raw(layout).trade(81, 3001, "105.5"))
    for _ in range(2):
        for step in (
            lambda: transform.run(layout, SYMBOL),
            lambda: compact.run(layout, SYMBOL, DAY),
            lambda: kline_store.put(layout, SYMBOL, "1m", DAY, candles(SYMBOL, 1439), "snappy", None),
        ):
            with suppress(LakeError):
                step()


def served(layout: Layout) -> Rows:
    """Return the bars (without `complete`) and the candles that the views serve."""
    with views.connect(layout) as con:
        return {row for query in _VIEWS for row in con.sql(query).fetchall()}


def written(layout: Layout) -> Rows:
    """Return the same of the files that are verified when they are read; one that is damaged has nothing."""
    found: Rows = set()
    with suppress(DamagedError):
        found |= _rows(read.day(layout, SYMBOL, DAY).drop_columns("complete").to_pylist())
    with suppress(DamagedError):
        found |= _rows(kline_store.read(layout, SYMBOL, "1m", DAY).to_pylist())
    return found


def _rows(rows: list[dict[str, Any]]) -> Rows:
    return {tuple(row.values()) for row in rows}


@dataclass(frozen=True)
class Truth:
    """What an undamaged lake has before and after the flow, as `written` and as `served`."""

    written: Rows
    served: Rows

    @classmethod
    def of(cls, template: Layout, base: Path) -> "Truth":
        """Return it for a lake that is like a template."""
        shutil.copytree(template.base, base)
        layout = Layout(base)
        before = written(layout), served(layout)
        flow(layout)
        return cls(before[0] | written(layout), before[1] | served(layout))


def tried(template: Layout, base: Path, kind: Kind, bit: int, truth: Truth) -> Counter[str]:
    """Flip one bit in a copy of a lake, and return what went wrong, counted."""
    shutil.copytree(template.base, base)
    layout = Layout(base)
    flip(target(layout, kind), bit)
    flow(layout)
    in_new_file = bool(written(layout) - truth.written)
    done = scrub.run(layout, NOW)
    wrong = served(layout) - truth.served
    again = scrub.run(layout, NOW).damaged
    noticed = bool(done.damaged or damage.kept(layout))
    shutil.rmtree(base)
    return Counter({"in a new file": in_new_file, "served": len(wrong), "unnoticed": not noticed, "left": len(again)})


def campaign(kind: Kind, count: int, seed: int) -> Counter[str]:
    """Flip so many bits in files of a kind, each in a lake of its own, and return what went wrong."""
    chance, found = random.Random(f"{kind} {seed}"), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        template = made(Path(folder, "template"), kind)
        truth, size = Truth.of(template, Path(folder, "truth")), target(template, kind).stat().st_size
        for number in range(count):
            bit = chance.randrange(8 * (max(size - 2000, 0) if number % 2 else 0), 8 * size)
            found += tried(template, Path(folder, "one"), kind, bit, truth)
    return found


def main(count: int, seed: int) -> int:
    """Run all of it, print a line a kind, and return the exit code."""
    logger.remove()
    failed = False
    for kind in KINDS:
        found = campaign(kind, count, seed)
        failed |= bool(found)
        wrong = ", ".join(f"{number} {what}" for what, number in found.items())
        print(f"{kind:7} {count} flips: {wrong or 'nothing went wrong'}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*[int(text) for text in (sys.argv[1:] + ["400", "1"][len(sys.argv) - 1 :])]))
