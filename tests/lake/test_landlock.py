"""What a process that gave up writing can still do. Each test asks another process: it is for good."""

import subprocess
import sys

import pytest

from lake import files
from tests.lake.sliceable import bars
from tests.lake.test_sandbox import HOUR

TRY = """
import os, sys
from pathlib import Path
base = Path(sys.argv[1])
def left():
    for write in (
        lambda: (base / "parquet" / "x.py").write_text("x"), lambda: hour.unlink(), lambda: os.truncate(hour, 0),
        lambda: hour.rename(base / "x"), lambda: (base / "x").mkdir(), lambda: (base / "x").symlink_to(hour),
        lambda: hour.open("r+b"), lambda: os.link(hour, base / "x"), lambda: (base.parent / "x").write_text("x"),
    ):
        try:
            write()
            yield "written"
        except OSError as error:
            yield error.strerror
hour, = base.rglob("bars_1s_*.parquet")
"""


@pytest.fixture
def confined(layout):
    """Run a script that confines itself; what it prints."""
    files.write_parquet(layout.hour_file("SOLUSDT", HOUR), bars("SOLUSDT", HOUR, 2), "snappy")

    def run(script):
        done = subprocess.run(
            [sys.executable, "-c", TRY + script, str(layout.base)], capture_output=True, text=True, timeout=60
        )
        if "no Landlock" in done.stderr:
            pytest.skip("this system has no Landlock")
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_nothing_is_written_but_in_the_one_folder(confined, layout):
    told = confined("""
from lake import landlock
spill = base / "spill"
spill.mkdir()
landlock.write_only_below(spill) or sys.exit("no Landlock")
print(*set(left()), sep="\\n")
(spill / "a").write_text("x")
(spill / "a").unlink()
spill.rmdir()
Path(os.devnull).write_text("x")
print(len(hour.read_bytes()) > 0)
""")
    assert told[-1] == "True"
    assert {*told[:-1]} <= {"Permission denied", "Invalid cross-device link"}
    assert [path.name for path in layout.base.iterdir()] == ["parquet"]


def test_the_command_sql_gives_up_writing_before_it_asks(confined, layout):
    told = confined("""
from deployments.query_commands import app
from lake import landlock
os.environ["LAKE_BASE_PATH"] = str(base)
app(["sql", "--format", "csv", "SELECT count(*) AS n FROM bars_1s"], standalone_mode=False)
landlock.version() or sys.exit("no Landlock")
print(*set(left()), sep="\\n")
""")
    assert told[:2] == ["n", "2"]
    assert {*told[2:]} <= {"Permission denied", "Invalid cross-device link"}
    assert [path.name for path in layout.base.iterdir()] == ["parquet"], "the folder for what is not in memory is gone"
