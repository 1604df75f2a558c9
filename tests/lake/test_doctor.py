"""The checks that need only the lake: facts in, a line out; real files, file systems and sockets where these matter."""

import resource
import stat
import subprocess
import sys
import tempfile
import threading
from datetime import date
from pathlib import Path

import pytest

from lake import doctor, doctor_disk, doctor_install
from lake.disk import Disk
from lake.doctor import Finding
from lake.doctor_install import Facts
from lake.usage import Amount

DATE = date(2025, 10, 20)


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


def test_a_file_where_a_folder_of_the_lake_belongs_is_told_by_its_name(tmp_path):
    (tmp_path / "locks").touch()
    found = doctor_disk.writable(tmp_path)
    assert (found.state, found.said) == ("fail", f"{tmp_path}: locks is no folder")


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
