"""The files: where they lie, thrown away, torn, half-written by a writer that was killed."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from lake import damage
from lake.windows import DAY_US, micros, moment
from simulator import Simulator
from tests.lake.derivatives.perpetuals import (
    day,
    interest,
    paid,
    rows,
)
from tests.live import wait


def test_files_lie_where_the_contract_says(run, layout):
    run("2024-03-10", "2024-03-12")
    found = sorted(path.relative_to(layout.base).parent.as_posix() for path in layout.derivatives.rglob("*.parquet"))
    assert found == [
        "derivatives/binance/funding/SOLUSDT/year=2024",
        "derivatives/binance/open_interest/SOLUSDT/year=2024/month=03/day=10",
        "derivatives/binance/open_interest/SOLUSDT/year=2024/month=03/day=11",
    ]
    assert all(len(list(path.parent.iterdir())) == 1 for path in layout.derivatives.rglob("*.parquet"))


def test_files_thrown_away_are_fetched_anew(sim, run, layout):
    run("2024-03-10", "2024-03-12")
    for path in layout.derivatives.rglob("*.parquet"):
        path.unlink()
    done = run("2024-03-10", "2024-03-12")
    assert (done.fundings, done.interests) == (6, 576)
    assert rows(layout, "funding") == paid(sim, day(10), day(12))


def test_a_damaged_file_is_set_aside_and_fetched_again(run, layout):
    run("2024-03-10", "2024-03-11")
    path = next((layout.derivatives / "funding").rglob("*.parquet"))
    whole = path.read_bytes()
    path.write_bytes(b"PAR1 this is none PAR1")
    run("2024-03-10", "2024-03-11")
    assert path.read_bytes() == whole
    assert [one.name for one in damage.kept(layout)] == ["funding.parquet.reason.txt"]


def test_what_a_killed_writer_left_beside_a_file_is_swept(run, layout):
    paths = layout.funding_file("SOLUSDT", 2024), layout.open_interest_file("SOLUSDT", day(10).date())
    torn = [path.with_name(f".{path.name}.1-0123abcd.tmp") for path in paths]
    for path in torn:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"half")
    run("2024-03-10", "2024-03-11")
    assert not [path for path in torn if path.exists()]


@pytest.mark.slow
def test_a_killed_run_leaves_whole_files_and_the_next_one_goes_on_there(layout, tmp_path):
    with Simulator(["SOLUSDT"], 7, rate=0.05) as sim:
        end = micros(datetime.now(UTC)) // DAY_US * DAY_US - DAY_US
        start = moment(end - 60 * DAY_US)
        sim.fault("slow", ms=100, path="/data")
        command = [sys.executable, "-m", "flows", "derivatives-hour", "--symbols", "SOLUSDT", "--start"]
        command += [start.isoformat(), "--end", moment(end).isoformat()]
        settings = {
            "LAKE_BASE_PATH": str(layout.base), "LAKE_BINANCE__FUTURES_URL": sim.futures_url,
            "LAKE_BINANCE__ARCHIVE_URL": sim.archive_url,
        }  # fmt: skip
        process = subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
        zips = layout.derivatives / "open_interest"
        wait(lambda: len(list(zips.rglob("*.parquet"))) >= 33)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        kept = {path: pq.ParquetFile(path).metadata.num_rows for path in zips.rglob("*.parquet")}
        assert 33 <= len(kept) < 60 and all(kept.values())
        whole = {path: path.stat().st_mtime_ns for path, count in kept.items() if count == 288}
        assert len(whole) >= 28, "those by REST; a day of the archive lacks its first moment until the zip before comes"
        sim.clear_faults()
        done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert {path: path.stat().st_mtime_ns for path in whole} == whole
        assert rows(layout, "open_interest") == interest(sim, start, moment(end))
        assert rows(layout, "funding") == paid(sim, start, moment(end))
