"""Runs that a signal ends: real processes, whose half-written files are gone when they are."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil
import pyarrow.compute as pc
import pytest

from lake import duck, files, health, interrupts, signs
from lake.windows import HOUR_US, moment
from tasks.runs import each
from tests.conftest import DAY
from tests.lake.sliceable import bars, moved, write_days
from tests.live import wait

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
SLOW_S = 240.0
"""On a machine that has much else to do."""
ALL = ("--symbols", "SOLUSDT", "--start", "2025-10-20", "--end", "2026-01-01")


@pytest.fixture
def run(layout, tmp_path):
    """Start crypto-lake on the lake of the test; what is still running in the end is killed."""
    begun = []

    def start(*words, before=()):
        own = {name: text for name, text in os.environ.items() if not name.startswith(("LAKE_", "PREFECT_"))}
        settings = {"LAKE_BASE_PATH": str(layout.base), "PREFECT_HOME": str(tmp_path / "prefect"), "NO_COLOR": "1"}
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "flows", *words], env=own | settings, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def long_lake(layout):
    """Fifteen days of SOLUSDT: a slice of them takes some seconds."""
    write_days(layout, "SOLUSDT", 15)
    return layout


def half_written(folder):
    """The hidden files that have something in them."""
    return [path for path in folder.rglob(".*.tmp") if path.stat().st_size]


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_slice_that_a_signal_ends_leaves_nothing_and_says_so_by_its_exit_code(long_lake, run, tmp_path, number):
    out = tmp_path / "out"
    process = run("slice-export", *ALL, "--format", "csv", "--out", str(out / "a.csv"))
    wait(lambda: out.exists() and half_written(out), SLOW_S)
    process.send_signal(number)
    said, wrong = process.communicate(timeout=SLOW_S)
    assert (process.returncode, said) == (128 + number, ""), wrong
    assert wrong.splitlines()[-1] == f"crypto-lake: stopped by {number.name}"
    assert "Traceback" not in wrong
    assert list(out.iterdir()) == []
    assert not list(long_lake.base.rglob(".*.tmp"))
    assert signs.read_one(long_lake, "slice_export").fields["runs"] == [], "health knows of no run that died"


@pytest.mark.slow
def test_a_terminal_that_is_closed_does_not_end_what_was_started_with_nohup(long_lake, run, tmp_path):
    process = run("slice-export", *ALL, "--out", str(tmp_path / "out" / "a.parquet"), before=["nohup"])
    wait(lambda: (tmp_path / "out").exists() and half_written(tmp_path / "out"), SLOW_S)
    process.send_signal(signal.SIGHUP)
    assert process.wait(SLOW_S) == 0
    assert (tmp_path / "out" / "a.parquet").exists()


@pytest.mark.slow
def test_a_compaction_that_is_ended_leaves_no_hidden_file_and_the_next_one_ends_it(layout, run):
    hour = bars("SOLUSDT", moment(DAY), 3600)
    for number in range(20 * 24):
        files.write_parquet(layout.hour_file("SOLUSDT", moment(DAY + number * HOUR_US)), moved(hour, number * HOUR_US),
                            "snappy")  # fmt: skip
    process = run("compact-day")
    wait(lambda: list((layout.parquet / "SOLUSDT").glob(".*.tmp")), SLOW_S, every=0)
    process.terminate()
    _, wrong = process.communicate(timeout=SLOW_S)
    assert process.returncode == 143, wrong
    assert not list(layout.base.rglob(".*.tmp"))
    left = len(layout.hour_days("SOLUSDT"))
    assert left > 0, "it went on to the end"
    assert health.compose(layout, moment(DAY))["flows"]["compact_day"]["last_error"] is None
    again = run("compact-day")
    assert again.communicate(timeout=SLOW_S)[0].startswith(f"{left} symbol-day")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_query_that_a_signal_ends_is_one_line(run, layout, number):
    layout.base.mkdir(parents=True)
    process = run("sql", "SELECT count(*) FROM range(1000000000000)")
    wait(lambda: psutil.Process(process.pid).cpu_times().user > 2, SLOW_S)
    process.send_signal(number)
    said, wrong = process.communicate(timeout=SLOW_S)
    assert (process.returncode, said, wrong) == (128 + number, "", f"crypto-lake: stopped by {number.name}\n")


def endless(_):
    """A query that no signal's exception ends, and that DuckDB ends with an error of its own."""
    running, con = threading.Event(), duck.memory()

    def seen(numbers):
        running.set()
        return pc.greater_equal(numbers, 0)

    def end():
        running.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    con.create_function("seen", seen, ["BIGINT"], "BOOLEAN", type="arrow")
    threading.Thread(target=end, daemon=True).start()
    con.sql("SELECT count(*) FROM range(1000000000000) WHERE seen(range)").fetchall()


def test_an_interrupt_that_duckdb_has_swallowed_ends_the_run_and_no_further_item_is_begun():
    begun = []

    def work(item):
        begun.append(item)
        endless(item)

    with pytest.raises(interrupts.Interrupted, match="SIGTERM"), interrupts.handled():
        each(["SOLUSDT", "SUIUSDT"], work, lambda *_: None)
    assert begun == ["SOLUSDT"]


def test_a_query_in_another_thread_is_ended_too():
    def work():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(endless, None).result()

    with pytest.raises(interrupts.Interrupted), interrupts.handled():
        work()


def test_an_error_in_the_place_of_an_interrupt_leaves_as_the_interrupt():
    with pytest.raises(interrupts.Interrupted) as stopped, interrupts.handled():
        endless(None)
    assert stopped.value.exit_code == 143
    assert isinstance(stopped.value.__cause__, Exception)
    assert interrupts.received() is None
    with pytest.raises(RuntimeError, match="of its own"), interrupts.handled():
        raise RuntimeError("of its own")


def test_what_handled_a_signal_before_is_asked_and_is_there_again_after():
    class TheirsError(BaseException):
        pass

    def theirs(*_):
        raise TheirsError

    before = signal.signal(signal.SIGTERM, theirs)
    try:
        with pytest.raises(TheirsError), interrupts.handled():
            endless(None)
        assert signal.getsignal(signal.SIGTERM) is theirs
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_second_signal_does_not_interrupt_the_way_out():
    reached = []
    with pytest.raises(interrupts.Interrupted), interrupts.handled():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the way out")
    assert reached
