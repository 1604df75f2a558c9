"""The checks that need only the lake: facts in, a line out; real files, file systems and sockets where these matter."""

import os
import resource
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lake import compact, doctor, doctor_data, doctor_disk, doctor_install, doctor_net, files, quarantine, transform
from lake.doctor import Finding
from lake.doctor_disk import Disk
from lake.doctor_install import Facts
from lake.layout import Layout
from lake.schemas import BARS, UTC_US
from lake.usage import Amount
from lake.windows import SECOND_US, moment
from simulator import Simulator
from tests.conftest import DAY

DATE = date(2025, 10, 20)


# --- the checks as such


def test_a_check_that_breaks_or_hangs_is_a_fail_of_its_name_and_the_others_are_told():
    def breaks():
        raise RuntimeError("two\nlines")

    forever = threading.Event()
    checks = {"one": lambda: Finding("one", "ok", "fine"), "two": breaks, "three": forever.wait}
    found = doctor.examine(checks, seconds=0.3)
    forever.set()
    assert [(one.name, one.state) for one in found] == [("one", "ok"), ("two", "fail"), ("three", "fail")]
    assert "RuntimeError: two lines" in found[1].said
    assert "no answer within" in found[2].said
    assert doctor.worst(found) == "fail"
    assert doctor.worst([]) == "ok"


def test_a_finding_is_one_line():
    assert Finding("x", "fail", "a\n b", "c\nd").line == "x: a b: c d"


# --- what is installed


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10, 14), "fail"), ((3, 11, 0), "ok"), ((3, 13, 9), "ok"), ((3, 14, 0), "warn"), ((2, 7, 18), "fail")],
)
def test_an_old_python_fails_a_newer_one_is_warned_of(version, state):
    found = doctor_install.python(version)
    assert found.state == state
    assert (found.remedy != "") == (state != "ok")


def test_an_old_python_is_one_line_of_the_command():
    script = "import sys; sys.version_info = (3, 10, 4, 'final', 0); import runpy; runpy.run_module('flows')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "crypto-lake: Python 3.10.4 is too old, expected 3.11 to 3.13: install one, remove .venv, make install\n"
    )


LOCK = """duckdb==2.0.1 \\
    --hash=sha256:00
    # via crypto-lake (pyproject.toml)
colorama==0.4.6 ; sys_platform == 'nowhere' \\
    --hash=sha256:00
Great_Expectations==1.24.1
    --hash=sha256:00
"""
INSTALLED = {"duckdb": "2.0.1", "great-expectations": "1.24.1"}
NEEDS = ["duckdb<3,>=2.0", "great-expectations==1.24.1", 'ruff>=1; extra == "dev"']


@pytest.mark.parametrize(
    ("lock", "installed", "state", "words"),
    [
        (LOCK, INSTALLED, "ok", "2 distributions"),
        (LOCK, INSTALLED | {"duckdb": "2.1"}, "warn", "duckdb 2.1 (locked: 2.0.1)"),
        (LOCK, INSTALLED | {"duckdb": "3.0"}, "fail", "duckdb 3.0 (needed: <3,>=2.0)"),
        (LOCK, {"duckdb": "2.0.1"}, "fail", "great-expectations is missing"),
        (LOCK.replace("duckdb==2.0.1", "<<<<<<< HEAD"), INSTALLED, "fail", "line 1 is no pin"),
        (LOCK + "orjson==3.11\n", INSTALLED, "warn", "orjson is missing"),
        (LOCK + "orjson>=3\n", INSTALLED, "warn", "orjson"),
        ("", INSTALLED, "fail", "names nothing"),
        (None, INSTALLED, "fail", "is not there"),
    ],
)
def test_versions_are_held_against_the_lock(lock, installed, state, words):
    found = doctor_install.versions(Facts(lock, installed, NEEDS))
    assert (found.state, words in found.said) == (state, True), found
    assert (found.remedy != "") == (state != "ok")


def test_what_is_installed_here_is_as_locked():
    assert doctor_install.versions(doctor_install.facts()).state != "fail"
    assert len(doctor_install.facts().installed) > 100


# --- the disk


def a_day(files_, bytes_):
    return Amount(by_day={DATE: (files_, bytes_)})


@pytest.mark.parametrize(
    ("free", "per_day", "state"),
    [
        (100e9, 1e9, "ok"),
        (10e9, 1e9, "warn"),
        (100e9, 200e9, "fail"),
        (1e9, 0, "warn"),
        (1e8, 0, "fail"),
        (5e9, 0, "ok"),
    ],
)
def test_room_is_told_in_days_at_the_present_rate(free, per_day, state):
    found = doctor_disk.space(Disk(int(free), int(200e9)), a_day(1, int(per_day)))
    assert found.state == state
    assert ("days at" in found.said) == (per_day > 0)
    assert (found.remedy != "") == (state != "ok")


def test_inodes_run_out_too():
    assert doctor_disk.inodes(Disk(1, 1, 10_000_000), a_day(27_000, 1)).said.startswith("10,000,000 free, 370 days")
    assert doctor_disk.inodes(Disk(1, 1, 100_000), a_day(27_000, 1)).state == "warn"
    assert doctor_disk.inodes(Disk(1, 1, 20_000), a_day(27_000, 1)).state == "fail"
    assert doctor_disk.inodes(Disk(1, 1, None), a_day(1, 1)).state == "ok"


def test_the_present_rate_is_that_of_complete_days(layout, raw):
    for day in range(5):
        raw.put(b"x" * 1000 * (day + 1) + b"\n", raw.trade(1, day * 86_400))
    first = sum(path.stat().st_size for path in layout.raw.rglob("*/2025-10-2[123]/*"))
    found = doctor_disk.rate(layout, date(2025, 10, 24))
    assert found.bytes_a_day == first / 3
    assert found.files_a_day == 1


def test_a_full_disk_is_found_by_writing(small_disk):
    assert doctor_disk.writable(small_disk).state == "ok"
    assert list(small_disk.iterdir()) == [], "what was tried is gone"
    (small_disk / "ballast").write_bytes(bytes(1 << 20))
    found = doctor_disk.writable(small_disk)
    assert (found.name, found.state) == ("disk full", "fail")
    assert "No space left" in found.said
    assert "crypto-lake disk" in found.remedy
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_a_disk_that_takes_no_more_is_found_without_one_of_its_own(tmp_path):
    """The same by a limit on the size of files, as there is one in any system."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        found = doctor_disk.writable(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (found.name, found.state) == ("disk full", "fail")


def test_a_folder_that_cannot_be_written_or_made(small_disk, tmp_path):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert doctor_disk.writable(small_disk).said.endswith("(Read-only file system)")
    assert doctor_disk.writable(small_disk / "lake").state == "fail"
    assert doctor_disk.writable(Path("/proc/lake")).state == "fail"
    (tmp_path / "file").touch()
    assert doctor_disk.writable(tmp_path / "file").state == "fail"
    assert doctor_disk.writable(tmp_path / "file" / "lake").state == "fail"
    assert doctor_disk.writable(tmp_path / "a" / "b").state == "ok"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"], "nothing was made"


@pytest.fixture
def open_folder():
    """A folder whose way is open to all, as pytest's own is not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


def test_a_lake_that_others_can_read_is_told_with_the_chmod(open_folder):
    open_folder.chmod(0o755)
    found = doctor_disk.private(open_folder)
    assert (found.state, found.remedy) == ("warn", f"chmod 700 '{open_folder}'")
    subprocess.run(found.remedy, shell=True, check=True)
    assert doctor_disk.private(open_folder).state == "ok"
    inner = open_folder / "lake"
    inner.mkdir(mode=0o755)
    assert "closed to others" in doctor_disk.private(inner).said


def test_a_config_with_a_secret_that_others_can_read(tmp_path):
    config = tmp_path / "config.yml"
    config.write_text("server: {port: 1}  # or LAKE_SERVER__AUTH_STRING, auth_string: here\n")
    config.chmod(0o644)
    assert doctor_disk.secrets(config).state == "ok", "a comment is no secret"
    config.write_text("server: {auth_string: 'me:hidden'}\n")
    found = doctor_disk.secrets(config)
    assert found.state == "warn"
    assert "hidden" not in found.line
    subprocess.run(found.remedy, shell=True, check=True)
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert doctor_disk.secrets(config).state == "ok"


# --- network and clock


def test_hosts_that_answer_are_told_with_their_latency_and_the_clock_agrees():
    with Simulator(symbols=["SOLUSDT"], seed=1) as sim:
        hosts = binance(rest_url=sim.rest_url, futures_url=sim.rest_url, archive_url=sim.rest_url)
        found = [*doctor_net.rest(hosts), doctor_net.archive(hosts), doctor_net.yahoo(sim.rest_url)]
    assert [one.state for one in found] == ["ok"] * 4, found
    assert " ms" in found[0].said


@pytest.mark.parametrize("ahead", [-120, 120])
def test_a_clock_two_minutes_off_fails(ahead):
    with Simulator(symbols=["SOLUSDT"], seed=1, clock=lambda: time.time_ns() // 1000 - ahead * SECOND_US) as sim:
        _, found = doctor_net.rest(binance(rest_url=sim.rest_url))
    assert found.state == "fail"
    assert ("120 s ahead" if ahead > 0 else "120 s behind") in found.said
    assert "timedatectl" in found.remedy


@pytest.mark.parametrize(
    ("ahead", "uncertain", "state"),
    [
        (0.2, 0.1, "ok"),
        (1.5, 0.1, "warn"),
        (-1.5, 0.1, "warn"),
        (1.5, 0.8, "ok"),
        (-5.5, 0.1, "fail"),
        (5.2, 0.3, "warn"),
    ],
)
def test_a_clock_is_judged_by_what_is_sure(ahead, uncertain, state):
    assert doctor_net.off("clock", ahead, uncertain, "theirs").state == state


@pytest.mark.parametrize(
    ("delays", "state"), [([], "ok"), ([0.05, 0.1, 99], "ok"), ([-2, -1.9], "warn"), ([120], "fail")]
)
def test_a_clock_by_trades(delays, state):
    assert doctor_net.by_trades(delays).state == state


def test_a_host_that_is_silent_closed_or_unwilling(monkeypatch):
    monkeypatch.setattr(doctor_net, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        found, clock = doctor_net.rest(binance(rest_url=url))
    assert (found.state, clock.state) == ("fail", "warn")
    closed = url
    assert doctor_net.futures(binance(futures_url=closed)).state == "warn"
    assert "futures_url" in doctor_net.futures(binance(futures_url=closed)).remedy
    assert "451" in doctor_net.judged("x", "u", doctor_net.Reply(451, 0.1), "warn", "k").said
    assert doctor_net.judged("x", "u", doctor_net.Reply(503, 0.1), "fail", "k").state == "fail"
    assert doctor_net.judged("x", "u", doctor_net.Reply(429, 0.1), "fail", "k").state == "ok"


def binance(**urls):
    from lake.sections import Binance

    return Binance(**urls)


# --- the data


def test_the_quarantine_is_counted_with_its_first_day(layout):
    assert doctor_data.quarantine(layout).state == "ok"
    part = layout.raw_day("SOLUSDT", DATE) / "part_0001.jsonl"
    quarantine.put(layout, part, [(0, "torn", b"{"), (9, "torn", b"x")])
    frames = layout.quarantine / "frames" / "2025-10-20" / "part_0001.jsonl"
    frames.parent.mkdir(parents=True)
    frames.write_bytes(b"one\ntorn")
    os.utime(frames, (DAY / 1e6, DAY / 1e6))
    (layout.quarantine / "archive").mkdir()
    (layout.quarantine / "archive" / "a.zip").write_bytes(b"\n\n\n")
    (layout.quarantine / "archive" / "a.zip.reason.txt").write_text("why\n")
    found = doctor_data.quarantine(layout)
    assert found.state == "warn"
    assert "5 records in 3 files since 2025-10-20" in found.said


def day_of_bars(day=0, *, lacking=(), incomplete=()):
    """A whole day, so many after 2025-10-20, of seconds with one trade each, but those that are lacking."""
    seconds = [n for n in range(86_400) if n not in lacking]
    times = pa.array([DAY + (day * 86_400 + n) * SECOND_US for n in seconds], UTC_US)
    ids = pa.array([1000 + day * 86_400 + n for n in seconds], pa.int64())
    values = {
        "symbol": pa.array(["SOLUSDT"] * len(seconds)), "window_start": times,
        "trade_count": pa.array([1] * len(seconds)),
        "first_trade_id": ids, "last_trade_id": ids, "complete": pa.array([n not in incomplete for n in seconds]),
    }  # fmt: skip
    empty = pa.nulls(len(seconds), pa.float64())
    ones = pa.array([1.0] * len(seconds))
    columns = [values.get(name, empty if name in ("bid", "ask", "spread") else ones) for name in BARS.names]
    return BARS.conform(pa.table(columns, BARS.names))


def put_day(layout, day, table, symbol="SOLUSDT"):
    files.write_parquet(layout.day_file(symbol, day), table, "zstd")


def test_a_day_is_proved_by_its_footer_alone(layout):
    put_day(layout, DATE, day_of_bars())
    assert doctor_data.proved(layout, "SOLUSDT", DATE)
    put_day(layout, DATE, day_of_bars(incomplete={7}))
    assert not doctor_data.proved(layout, "SOLUSDT", DATE)
    put_day(layout, DATE, day_of_bars(lacking={7}))
    assert not doctor_data.proved(layout, "SOLUSDT", DATE)
    layout.day_file("SOLUSDT", DATE).write_bytes(b"damaged")
    assert not doctor_data.proved(layout, "SOLUSDT", DATE)


def test_days_that_lack_something_are_counted_and_the_first_day_may_begin_late(layout):
    now = datetime(2025, 10, 23, 12, tzinfo=UTC)
    assert [one.said for one in doctor_data.days(layout, now)] == ["none is over yet"]
    put_day(layout, DATE, day_of_bars(lacking=range(1000), incomplete={1000}))
    put_day(layout, date(2025, 10, 21), day_of_bars(1))
    found, compacted, validated = doctor_data.days(layout, now)
    assert found.state == "ok", found
    assert compacted.state == "ok"
    assert (validated.state, validated.said[:22]) == ("warn", "2 of 2 symbol-days of ")
    assert "--start 2025-10-20 --end 2025-10-22" in validated.remedy
    put_day(layout, date(2025, 10, 21), day_of_bars(1, lacking={50, 51, 52}))
    found = doctor_data.days(layout, now)[0]
    assert (found.state, "1 of 2 symbol-days lack 3 seconds and 3 trades" in found.said) == ("warn", True), found
    layout.day_file("SOLUSDT", date(2025, 10, 21)).unlink()
    put_day(layout, date(2025, 10, 22), day_of_bars(2))
    found = doctor_data.days(layout, now)[0]
    assert "1 of 3 symbol-days lack 86,400 seconds" in found.said, "a day of which there is nothing"


def test_days_by_the_hour_that_are_over_want_to_be_compacted(layout, raw):
    raw.put(*(raw.trade(number, number) for number in range(1, 7)))
    transform.run(layout, "SOLUSDT")
    found = doctor_data.days(layout, datetime(2025, 10, 21, 12, tzinfo=UTC))[1]
    assert (found.state, found.remedy) == ("warn", "crypto-lake compact-day")
    compact.run(layout, "SOLUSDT", DATE)
    assert doctor_data.days(layout, datetime(2025, 10, 21, 12, tzinfo=UTC))[1].state == "ok"


def test_nothing_is_made_by_looking(tmp_path):
    layout = Layout(tmp_path / "lake")
    doctor_disk.temporary(layout, 1), doctor_data.quarantine(layout), doctor_data.days(layout, moment(DAY))
    doctor_disk.writable(layout.base)
    assert list(tmp_path.iterdir()) == []
