"""What a lake that runs for months needs: logs set aside under living writers, leftovers and old runs gone."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from deployments import housekeeping, prefect_stack, process_logs, system, up
from deployments.errands import Errand
from deployments.processes import Children
from lake import locks, settings
from lake.errors import LakeError
from tests.lake.test_leftovers import WRITER
from tests.live import wait

TODAY = date(2025, 10, 20)
NOW = datetime(2025, 10, 20, 12, tzinfo=UTC)
COUNTER = """
import sys
for line in sys.stdin:
    print(line.strip(), flush=True)
"""


def test_a_log_is_set_aside_once_a_day_and_old_ones_go(tmp_path):
    (tmp_path / "server.log").write_text("one\n")
    assert process_logs.rotate(tmp_path, TODAY, 14) == ["server.log: 4 B set aside as server.2025-10-20.log"]
    assert (tmp_path / "server.log").read_text() == ""
    (tmp_path / "server.log").write_text("two\n")
    assert process_logs.rotate(tmp_path, TODAY, 14) == [], "once a day"
    assert process_logs.rotate(tmp_path, TODAY + timedelta(1), 14)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "server.2025-10-20.log", "server.2025-10-21.log", "server.log",
    ]  # fmt: skip
    assert process_logs.rotate(tmp_path, TODAY + timedelta(14), 14) == []
    told = process_logs.rotate(tmp_path, TODAY + timedelta(15), 14)
    assert told == ["server.2025-10-20.log: older than 14 days, removed"]


def test_a_log_that_grows_fast_is_set_aside_by_size_and_a_day_of_it_has_an_end(tmp_path):
    for number in range(30):
        (tmp_path / "worker.log").write_text(f"{number:04d}\n" * 10)
        assert process_logs.rotate(tmp_path, TODAY, 14, most_bytes=10)
    kept = sorted((int(path.read_text()[:4]) for path in tmp_path.glob("worker.2025*.log")), reverse=True)
    assert kept == list(range(29, 9, -1)), "the newest twenty"


def test_a_living_process_goes_on_writing_and_no_line_is_lost(tmp_path):
    log = tmp_path / "child.log"
    with log.open("ab") as out:
        child = subprocess.Popen([sys.executable, "-c", COUNTER], stdin=subprocess.PIPE, stdout=out, text=True)
    for number in range(5):
        child.stdin.write(f"line {number}\n")
        child.stdin.flush()
        wait(lambda n=number: f"line {n}\n" in log.read_text())
        process_logs.rotate(tmp_path, TODAY, 14, most_bytes=1)
    child.communicate()
    assert log.stat().st_size == 0, "it was not written behind a hole of zeros"
    aside = sorted(tmp_path.glob("child.2025*.log"), key=lambda path: path.stat().st_mtime_ns)
    assert "".join(path.read_text() for path in aside) == "".join(f"line {n}\n" for n in range(5))


def test_on_a_full_disk_a_log_stays_as_it_is(small_disk):
    (small_disk / "server.log").write_bytes(b"x" * (1 << 20))
    with pytest.raises(OSError, match="No space"):
        process_logs.rotate(small_disk, TODAY, 14)
    assert [path.name for path in small_disk.iterdir()] == ["server.log"]
    assert (small_disk / "server.log").stat().st_size == 1 << 20


@pytest.fixture
def found(layout, monkeypatch):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setenv("LAKE_SERVER__PORT", str(prefect_stack.free_port()))
    return settings.load()


def test_leftovers_of_a_killed_process_go_and_those_of_a_living_one_stay(found, layout, monkeypatch):
    monkeypatch.setattr(housekeeping.leftovers.find, "__kwdefaults__", {"young_s": 0, "seconds": float("inf")})
    assert housekeeping.housekeeping(found, NOW) == []
    assert not layout.base.exists()
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(layout.base)], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    assert housekeeping.housekeeping(found, NOW) == []
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert housekeeping.housekeeping(found, NOW) == [
        "1 temporary files removed, left by killed processes",
        "1 spills of DuckDB removed, left by killed processes",
    ]
    assert housekeeping.housekeeping(found, NOW) == []


def test_two_are_not_at_it_at_once(found, layout):
    layout.base.mkdir()
    with locks.housekeeping(layout):
        assert housekeeping.housekeeping(found, NOW) == ["somebody else is at it"]


def test_an_errand_is_done_when_it_is_due_and_keeps_nobody_waiting():
    go, calls = threading.Event(), []

    def work():
        calls.append(1)
        go.wait(10)
        return [f"done {len(calls)}"]

    errand = Errand(work, 60)
    assert errand.tick(0) == []
    assert errand.tick(100) == [], "still at it: not begun twice"
    go.set()
    errand._thread.join(10)
    assert errand.tick(30) == ["done 1"]
    assert errand.tick(59) == []
    assert len(calls) == 1
    errand.tick(60)
    errand._thread.join(10)
    assert errand.tick(61) == ["done 2"]


def test_an_errand_that_breaks_is_a_line():
    errand = Errand(lambda: 1 / 0, 60)
    errand.tick(0)
    errand._thread.join(10)
    assert errand.tick(1) == ["ZeroDivisionError: division by zero"]


def test_what_fails_is_said_once_by_up_until_it_works_again_and_ends_nothing():
    trouble, full = set(), True

    def write():
        if full:
            raise LakeError("heartbeat.json: no space")

    assert up._tried(write, trouble) == ["heartbeat.json: no space"]
    assert up._tried(write, trouble) == []
    assert up._tried(lambda: ["a run was ended"], trouble) == ["a run was ended"]
    assert up._tried(write, trouble) == [], "another that works says nothing of it"
    full = False
    assert up._tried(write, trouble) == []
    full = True
    assert up._tried(write, trouble) == ["heartbeat.json: no space"], "again, after it was well"


def test_up_has_prefect_prune_its_database(found):
    own = system.environment(found)
    assert own["PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD"] == str(30 * 86_400)
    assert "flow_runs" in own["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"]


@pytest.mark.slow
def test_prefects_own_service_removes_old_runs_and_keeps_new_ones(found, layout):
    """The settings that `up` gives a server do it: on a real one, which is told to look every second."""
    own = system.environment(found) | {"PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS": "1"}
    with Children(own, layout.logs, prefect_stack.PROJECT) as children:
        api = prefect_stack.start_server(children, found.server.port)
        flow = api._send("POST", "flows/", {"name": "x"})["id"]

        def ended(days):
            """A run that ended so many days ago: a server takes no such time from outside, so its database is told."""
            run = api._send("POST", "flow_runs/", {"flow_id": flow, "state": {"type": "PENDING"}})["id"]
            api._send("POST", f"flow_runs/{run}/set_state", {"state": {"type": "COMPLETED"}, "force": True})
            at = f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d %H:%M:%S.000000}"
            with closing(sqlite3.connect(layout.base / ".prefect" / "prefect.db", timeout=30)) as db, db:
                done = db.execute("UPDATE flow_run SET end_time = ? WHERE id = ?", (at, run))
            assert done.rowcount == 1
            return run

        young, old = ended(29), ended(31)

        def there(run):
            return requests.get(f"{api.url}/api/flow_runs/{run}", timeout=10).status_code == 200

        wait(lambda: not there(old), 60, every=0.3)
        assert there(young)


def test_what_the_command_writes_only_its_owner_reads(layout, tmp_path):
    """And so what its children write, which is all of `up`: a umask goes on to them."""
    environment = os.environ | {"LAKE_BASE_PATH": str(layout.base)}
    script = "import os; os.umask(0o022); from flows.__main__ import main; main(['transform-hour'])"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert "Traceback" not in done.stderr
    made = [layout.base, *layout.base.rglob("*")]
    assert any(path.is_file() for path in made)
    assert [str(path) for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
