"""The dashboard on a lake of size (19 symbols, 30 days of seconds), as a person in front of Chromium waits for it.

    python -m benchmarks.dashboard [FOLDER] [RUNS]

FOLDER holds the lake of `benchmarks._lake`, made where it is not there yet (49 million rows: some minutes). A first
page is an address opened in a new tab, until its charts are drawn; a refresh is a click on a range, until the new range
is drawn: the whole script and its queries, of which an auto-refresh runs a part. The very first page of a server, which
also imports and opens everything, is told apart. Goals: 3 s and 1 s. Needs Chromium; printed: median and worst.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import _lake
from tests import browser
from tests.gui.conftest import dashboard
from tests.live import wait

PAGES = {
    "an hour of 1m": ("", 3, "60 1m bars of"),
    "15 minutes of 1s": ("tf=1s&range=15m", 3, "900 1s bars of"),
    "30 days of 15m": ("tf=15m&range=30d", 3, "2,880 15m bars of"),
    "30 days of 1h, two symbols": ("tf=1h&range=30d&symbol=SOLUSDT&versus=SUIUSDT", 4, "720 1h bars of"),
    "coverage of 30 days": ("page=Quality&range=30d", 1, "240 stretches of"),
}
"""What is opened: its address, how many charts it has, what is said below them."""
CLICKS = {
    "1m": {"1h": "60 1m bars of", "6h": "360 1m bars of", "1d": "1,440 1m bars of"},
    "5m": {"1d": "288 5m bars of", "7d": "2,016 5m bars of"},
    "15m": {"7d": "672 15m bars of", "30d": "2,880 15m bars of"},
    "1h": {"7d": "168 1h bars of", "30d": "720 1h bars of"},
    "1d": {"7d": "7 1d bars of", "30d": "30 1d bars of"},
}
"""Timeframes of the Chart page, the buttons clicked there, and what is said once their range is shown."""
GOALS = {"first page": 3.0, "refresh": 1.0}
_STATE = """[document.querySelectorAll('[data-testid=stVegaLiteChart] :is(canvas, svg.marks)').length,
    document.querySelectorAll('[data-stale=true]').length, document.body?.innerText ?? '']"""

_CLICK = "[...document.querySelectorAll('button')].findLast(one => one.innerText === '{}').click(), 1"
"""Of two buttons that say 1h the timeframe is the first, the range the last."""


def shown(page: browser.Page, charts: int, words: str) -> bool:
    """Whether these words and as many charts are on the screen, and nothing of what was there before."""
    drawn, stale, text = page.value(_STATE)
    return drawn >= charts and not stale and words in text


@contextmanager
def timed(kept: list[float]) -> Iterator[None]:
    """Keep how many seconds the block took."""
    began = time.perf_counter()
    yield
    kept.append(time.perf_counter() - began)


def measure(chromium: browser.Browser, url: str, runs: int) -> dict[str, list[float]]:
    """Open each page and click each button ``runs`` times, by turns; the seconds of each."""
    found: dict[str, list[float]] = {}
    cold = found.setdefault("first page of a new server", [])
    for number in range(runs):
        for name, (query, charts, words) in PAGES.items():
            with timed(found.setdefault(f"first page: {name}", []) if number or cold else cold):
                page = chromium.open(f"{url}/?{query}")
                wait(lambda page=page, charts=charts, words=words: shown(page, charts, words), 30, 0.01)
            page.close()
        for tf, buttons in CLICKS.items():
            page = chromium.open(f"{url}/?tf={tf}&range=15m")
            wait(lambda page=page, tf=tf: shown(page, 2, f"{tf} bars of"), 30, 0.01)
            for button, words in buttons.items():
                with timed(found.setdefault(f"refresh: {tf}, to {button}", [])):
                    page.value(_CLICK.format(button))
                    wait(lambda page=page, words=words: shown(page, 3, words), 30, 0.01)
            page.close()
    return found


def run(base: Path, runs: int) -> None:
    """Measure on a lake, and print."""
    began = time.perf_counter()
    _lake.make(base, kline_days=0)
    print(f"{len(_lake.SYMBOLS)} symbols, {_lake.DAYS} days of seconds (made in {time.perf_counter() - began:.0f} s)")
    with (
        tempfile.TemporaryDirectory() as scratch,
        dashboard(base, Path(scratch) / "log") as url,
        browser.chromium() as chromium,
    ):
        found = measure(chromium, url, runs)
    for name, seconds in found.items():
        goal = next(limit for what, limit in GOALS.items() if name.startswith(what))
        told = (
            "kept" if max(seconds) < goal else "kept by the median" if statistics.median(seconds) < goal else "MISSED"
        )
        print(
            f"{name:42} median {statistics.median(seconds):5.2f} s, worst {max(seconds):5.2f} s   "
            f"goal {goal:.0f} s: {told}"
        )
    print("load average:", *(f"{load:.1f}" for load in os.getloadavg()))


def main() -> None:
    """Take the lake's folder and the number of runs from the command line."""
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    if len(sys.argv) > 1:
        run(Path(sys.argv[1]), runs)
    else:
        with tempfile.TemporaryDirectory() as base:
            run(Path(base) / "lake", runs)


if __name__ == "__main__":
    main()
