"""Asking the lake: through the views, through `lake.bars()`, and by hand against exactly the files needed, in one run.

    python -m benchmarks.research [--base FOLDER] [--runs 7]

On 19 symbols x 30 days of 1-second bars (49 million rows) and 180 days of klines (`benchmarks._lake`; made in FOLDER,
where they stay). Medians; runs alternate. The limits: one symbol's day of bars_1m through the view 0.3 s, its month of
1h bars 1.5 s; lake.bars() twice the same query by hand.
"""

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

import lake
from benchmarks import _lake
from lake import views
from lake.layout import Layout
from lake.timeframes import seconds
from lake.windows import DAY, Window

SYMBOL = "SOLUSDT"
_MINE = "read_parquet($files) WHERE window_start >= $start AND window_start < $end"
BY_HAND = {
    "1s": f"SELECT 'binance' AS exchange, * FROM {_MINE} ORDER BY window_start",
    "longer": f"WITH mine AS (SELECT * FROM {_MINE}) FROM rolled_up('mine', $width) ORDER BY window_start",
}
"""The second with the same columns as lake.bars(), as its statement says them."""


def by_hand(layout: Layout, tf: str, window: Window) -> Callable[[], object]:
    """Ask exactly the files, on a connection that is there already."""
    con = views.connect(layout)
    files = [str(layout.day_file(SYMBOL, day)) for day in window.days()]
    values = {"files": files, "start": window.start, "end": window.end}
    if tf == "1s":
        return lambda: con.sql(BY_HAND["1s"], params=values).to_arrow_table()
    return lambda: con.sql(BY_HAND["longer"], params=values | {"width": seconds(tf)}).to_arrow_table()


def by_view(layout: Layout, view: str, window: Window) -> Callable[[], object]:
    """Ask the view, on a connection that is there already."""
    con = views.connect(layout)
    query = f"FROM {view} WHERE symbol = ? AND window_start >= ? AND window_start < ?"
    return lambda: con.sql(query, params=[SYMBOL, window.start, window.end]).to_arrow_table()


def questions(layout: Layout) -> dict[tuple[str, str], Callable[[], object]]:
    """Return the questions by (what, how)."""
    month = Window.of_day(_lake.FIRST)
    month = Window(month.start, month.start + _lake.DAYS * DAY)
    day = Window.of_day(_lake.FIRST + 10 * DAY)
    found: dict[tuple[str, str], Callable[[], object]] = {}
    for what, tf, window in (("day", "1s", day), ("day", "1m", day), ("month", "1s", month), ("month", "1h", month)):
        name = f"one symbol's {what} of {tf} bars"
        ask = {"tf": tf, "form": "arrow", "base": layout.base}
        found[name, "view"] = by_view(layout, f"bars_{tf}", window)
        found[name, "lake.bars()"] = lambda w=window, a=ask: lake.bars(SYMBOL, w.start, w.end, **a)
        found[name, "by hand"] = by_hand(layout, tf, window)
    name = "one symbol's month of coverage"
    found[name, "view"] = by_view(layout, "coverage", month)
    over = {"start": month.start, "end": month.end, "form": "arrow", "base": layout.base}
    found[name, "lake.coverage()"] = lambda: lake.coverage(SYMBOL, **over)
    name = "one symbol's month of 1m klines"
    found[name, "view"] = by_view(layout, "klines_1m", month)
    found[name, "lake.klines()"] = lambda: lake.klines(SYMBOL, **over)
    return found


def main() -> None:
    """Make the lake, ask in turn, print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, default=Path(tempfile.gettempdir()) / "crypto-lake-of-size")
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args()
    questioned = questions(_lake.make(asked.base))
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for run in range(asked.runs + 1):
        for key, ask in questioned.items():
            began = time.perf_counter()
            ask()
            if run:  # the first one warms up
                times[key].append(time.perf_counter() - began)
    table = Table("question", "how", "ms", "beside by hand")
    for (what, how), found in times.items():
        took, hand = statistics.median(found), times.get((what, "by hand"))
        table.add_row(what, how, f"{took * 1000:,.0f}", f"{took / statistics.median(hand):.2f}" if hand else "")
    Console().print(table)


if __name__ == "__main__":
    main()
