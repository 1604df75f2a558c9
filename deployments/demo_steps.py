"""The demo's steps: each does one thing through the real parts, checks its result, and says it in one line."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from deployments.demo_truth import Truth, differences
from deployments.prefect_api import Api, Run
from deployments.processes import Children
from lake import read
from lake.errors import LakeError
from lake.layout import Layout
from lake.windows import Window, iso

SYMBOLS = ["SOLUSDT", "SUIUSDT", "ADAUSDT"]
_YESTERDAY_MINUTES = 10
_RUN_S = 120


@dataclass
class Demo:
    """What the steps share: the lake, the server, the stand-in, and what was found."""

    layout: Layout
    api: Api
    truth: Truth
    children: Children
    runs: dict[str, Run] = field(default_factory=dict)
    collector: str = ""
    collected: Window | None = None

    @property
    def range(self) -> Window:
        """The range that was collected and is proved complete, once `transform` has found it."""
        if self.collected is None:
            raise LakeError("nothing has been transformed yet")
        return self.collected


def collect(demo: Demo) -> str:
    """Start the collector as a run of its deployment and wait until it is running and its first parts are closed."""
    demo.collector = demo.api.run("collect-live/local")
    demo.api.wait(demo.collector, _RUN_S, frozenset({"RUNNING"}))
    wait_for_parts(demo.layout)
    return f"streams of {', '.join(SYMBOLS)} are being recorded"


def wait_for_parts(layout: Layout) -> None:
    """Wait until the collector has closed a part of each symbol.

    Raises:
        LakeError: there is none within a minute.
    """
    _until(lambda: all(_parts(layout, symbol) for symbol in SYMBOLS), 60, "no raw part from the collector")


def import_yesterday(demo: Demo) -> str:
    """Import a recording of ten minutes of yesterday, made from the stand-in's own history, so that a day is closed."""
    window = yesterday()
    recording = demo.layout.base / "recordings" / "yesterday.txt"
    trades = demo.truth.record(recording, SYMBOLS, window)
    done = demo.children.start("import-frames", "-m", "flows", "import-frames", str(recording))
    done.wait_to_end(_RUN_S)
    if done.exit_code:
        raise LakeError(f"import-frames: {done.last_line()}")
    return f"{trades:,} trades of {window}, made from the stand-in's history"


def collect_on(demo: Demo, seconds: float) -> str:
    """Let the collector go on until that much has been collected in all."""
    deadline, started = time.monotonic() + seconds, time.time()
    while time.monotonic() < deadline:
        run = demo.api.look(demo.collector)
        if run.type != "RUNNING":
            raise LakeError(f"collect-live is {run.state}: {run.message}")
        time.sleep(1)
    _until(lambda: _newest(demo.layout) > started, 30, "no raw part was closed while collecting")
    parts = sum(len(_parts(demo.layout, symbol)) for symbol in SYMBOLS)
    return f"{parts} raw parts of today, and it goes on"


def transform(demo: Demo) -> str:
    """Build bars by the deployment, and compare every one with what the stand-in really traded."""
    run = completed(demo, "transform-hour/local")
    wrong, bars, ends = [], 0, []
    for symbol in SYMBOLS:
        window = _covered(demo.layout, symbol)
        ends.append(window)
        for part in (window, yesterday()):
            table = read.bars(demo.layout, symbol, part)
            wrong += differences(table, demo.truth.bars(symbol, part))
            bars += len(table)
    if wrong:
        raise LakeError(f"{len(wrong)} bars differ from the stand-in's truth: {'; '.join(wrong[:3])}")
    demo.collected = Window(max(w.start for w in ends), min(w.end for w in ends))
    return f"{bars:,} bars, each equal to the stand-in's own trades ({run.message})"


def compact(demo: Demo) -> str:
    """Compact yesterday by the deployment, and check rows and hash."""
    day = yesterday().start.date()
    before = {symbol: read.day(demo.layout, symbol, day) for symbol in SYMBOLS}
    completed(demo, "compact-day/local")
    for symbol, bars in before.items():
        path = demo.layout.day_file(symbol, day)
        said = path.with_name(f"{path.name}.sha256").read_text(encoding="utf-8").split()[0]
        if said != hashlib.sha256(path.read_bytes()).hexdigest():
            raise LakeError(f"{path}: its hash is not the one in the .sha256 file beside it")
        if not read.file(path).equals(bars) or demo.layout.hour_files(symbol, day):
            raise LakeError(f"{path}: is not exactly the hours it takes the place of")
    rows = sum(map(len, before.values()))
    return f"{day}: {rows:,} bars in {len(before)} files, each equal to its hours, SHA-256 checked"


def validate(demo: Demo) -> str:
    """Check the collected range against the rules by the deployment."""
    run = completed(demo, "validate-rules/local", **_range(demo), symbols=SYMBOLS)
    if not run.message.startswith("PASS"):
        raise LakeError(f"validate-rules: {run.message}: the stand-in's market keeps every rule, so PASS was expected")
    return run.message


def export(demo: Demo) -> str:
    """Write a slice by the deployment, and compare it with the bars."""
    completed(demo, "slice-export/local", **_range(demo), symbols=SYMBOLS, out="slices/collected.parquet")
    path = demo.layout.base / "slices" / "collected.parquet"
    rows = sum(len(read.bars(demo.layout, symbol, demo.range)) for symbol in SYMBOLS)
    if (found := pq.ParquetFile(path).metadata.num_rows) != rows:
        raise LakeError(f"{path}: {found:,} rows, expected {rows:,}")
    return f"{rows:,} rows in {path.name}, {path.stat().st_size:,} bytes"


def second_collector(demo: Demo) -> str:
    """Try a second collector: it must leave the first alone."""
    refused = demo.children.start("second-collector", "-m", "flows", "collect-live", "--duration", "5")
    refused.wait_to_end(60)
    if refused.exit_code != 1 or demo.api.look(demo.collector).type != "RUNNING":
        raise LakeError(f"a second collector ended with {refused.exit_code}: {refused.last_line()}")
    return "refused, in one line; the first goes on"


def stop_collector(demo: Demo) -> str:
    """Cancel the collector's run, as the UI does, and check that it closed its parts."""
    demo.api.cancel(demo.collector)
    run = demo.runs["collect-live/local"] = demo.api.wait(demo.collector, 60, frozenset({"CANCELLED", "COMPLETED"}))
    left = [str(path) for path in demo.layout.raw.rglob(".*")]
    if left:
        raise LakeError(f"the collector left parts open: {', '.join(left)}")
    return f"{run.state}; every part closed"


def read_server_log(demo: Demo) -> str:
    """Look for errors in the log of Prefect's server."""
    lines = (demo.children.logs / "prefect-server.log").read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if "| ERROR" in line or "| CRITICAL" in line or line.startswith("Traceback")]
    if errors:
        raise LakeError(f"Prefect's server logged {len(errors)} errors: {errors[0]}")
    return "no error"


def completed(demo: Demo, deployment: str, **parameters: object) -> Run:
    """Run a deployment, wait for its end, and note the run for the summary."""
    run = demo.api.wait(demo.api.run(deployment, **parameters), _RUN_S, frozenset({"COMPLETED"}))
    demo.runs[deployment] = run
    return run


def _range(demo: Demo) -> dict[str, str]:
    return {"start": iso(demo.range.start), "end": iso(demo.range.end)}


def yesterday() -> Window:
    """The ten minutes of yesterday that are imported."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    return Window(noon, noon + timedelta(minutes=_YESTERDAY_MINUTES))


def _covered(layout: Layout, symbol: str) -> Window:
    """The seconds of today whose bars are complete, from the first to the last: those in between must be, too."""
    today = Window.of_day(datetime.now(UTC).date())
    bars = read.bars(layout, symbol, Window(today.start - timedelta(hours=1), today.end))
    complete = [row["window_start"] for row in bars.to_pylist() if row["complete"]]
    if not complete:
        raise LakeError(f"{symbol}: no complete bar in what was collected")
    return Window(min(complete), max(complete) + timedelta(seconds=1))


def _parts(layout: Layout, symbol: str) -> list[Path]:
    today = datetime.now(UTC).date()
    return sorted((layout.raw / symbol).glob(f"{today}/part_*.jsonl"))


def _newest(layout: Layout) -> float:
    return max((path.stat().st_mtime for symbol in SYMBOLS for path in _parts(layout, symbol)), default=0.0)


def _until(holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise LakeError(f"{otherwise} in {seconds:.0f} s")
        time.sleep(0.3)
