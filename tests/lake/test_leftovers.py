"""What killed processes leave, told apart from what living ones write: real processes, kill -9."""

import os
import signal
import subprocess
import sys

import pytest

from lake import doctor_disk, leftovers, locks
from tests.live import wait

WRITER = """
import os, sys, time
from pathlib import Path
from lake import files
base = Path(sys.argv[1])
spill = base / f".duckdb-{os.getpid()}-0123abcd"
spill.mkdir(parents=True)
(spill / "block").write_bytes(b"x")
with files.scratch(base / "parquet" / "binance" / "SOLUSDT", "2025-10-20.parquet") as hidden:
    hidden.write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def writer(layout):
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(layout.base)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def test_what_a_living_process_writes_stays_and_a_killed_ones_goes(layout, writer):
    assert leftovers.find(layout, young_s=0).count == 0
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert leftovers.find(layout).count == 0, "another container may write it: it is young"
    found = leftovers.find(layout, young_s=0)
    assert [len(found.temporary), len(found.spills)] == [1, 1]
    assert doctor_disk.left(found).said == "1 temporary files, 1 spills of dead processes"
    assert doctor_disk.left(found).state == "warn"
    keep = layout.parquet / "SOLUSDT" / "2025-10-20.parquet"
    keep.write_bytes(b"data")
    leftovers.sweep(layout, found)
    assert [path for path in layout.base.rglob("*") if path.is_file()] == [keep]
    assert list(layout.base.glob(".duckdb-*")) == []


def test_a_zombie_is_dead_and_another_process_with_the_number_is_another(layout, writer):
    os.kill(writer.pid, signal.SIGKILL)
    wait(lambda: leftovers.find(layout, young_s=0).count == 2)  # not waited for: a zombie
    (path,) = leftovers.find(layout, young_s=0).temporary
    mine = path.with_name(f".x.{os.getpid()}-0123abcd.tmp")
    mine.write_bytes(b"")
    assert mine not in leftovers.find(layout, young_s=0).temporary
    os.utime(mine, (1e9, 1e9))  # written before this process began
    assert mine in leftovers.find(layout, young_s=0).temporary


def test_what_duckdbs_copy_left_goes_after_a_day_and_only_beside_data(layout):
    data, own = layout.parquet / "SOLUSDT" / "tmp_2025-10-20.parquet", layout.reports / "tmp_mine.parquet"
    for path in (data, own):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    assert leftovers.find(layout).count == 0
    for path in (data, own):
        os.utime(path, (1e9, 1e9))
    assert leftovers.find(layout).temporary == [data]


def test_open_parts_of_a_killed_collector_are_taken_over_and_a_living_ones_are_not(layout, raw):
    path = raw.put(raw.trade(1, 1))
    hidden = path.with_name(".part_0002.jsonl.open")
    hidden.write_bytes(path.read_bytes())
    holder = locks.collector(layout)
    script = "import sys, filelock; held = filelock.FileLock(sys.argv[1]); held.acquire(); print(flush=True); input()"
    command = [sys.executable, "-c", script, holder.lock_file]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert leftovers.find(layout).count == 0
        other.communicate(b"\n")
    found = leftovers.find(layout)
    assert found.open_parts == [hidden]
    assert leftovers.sweep(layout, found).open_parts == [path.with_name("part_0002.jsonl")]
    assert not hidden.exists()


def test_a_search_that_ran_out_of_time_says_so(layout, raw):
    raw.put(raw.trade(1, 1))
    found = leftovers.find(layout, seconds=-1)
    assert not found.whole
    assert "not all of the lake" in doctor_disk.left(found).said
    assert leftovers.find(layout).whole
