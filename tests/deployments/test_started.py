"""What an `up` has started is found again and ended; what another lake's has, or a person, is left alone."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from deployments import collector_run, demo_folder, deployed, doctor, ports, prefect_stack, started, system, up
from deployments.processes import Children
from lake import health, locks, settings, signs
from lake.errors import BadInputError, LakeError
from lake.signs import Process, Sign

SLEEP = "import sys, time; print('ready', flush=True); time.sleep(600)"


@pytest.fixture
def found(layout, monkeypatch):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    for name in ("SERVER", "DASHBOARD", "DOCS"):
        monkeypatch.setenv(f"LAKE_{name}__PORT", str(prefect_stack.free_port()))
    return settings.load()


@pytest.fixture
def process():
    """Start a process that only sleeps, whose command looks like a part's, with a mark or without."""
    all_of = []

    def start(*words, mark=None, code=SLEEP):
        environment = os.environ | ({started.MARK: str(mark)} if mark else {})
        one = subprocess.Popen([sys.executable, "-c", code, *words], env=environment, stdout=subprocess.PIPE)
        all_of.append(one)
        assert one.stdout.readline()
        return one

    yield start
    for one in all_of:
        one.kill()
        one.communicate()


@pytest.fixture
def lake_up(found, layout):
    """A `System` of the lake, of which nothing is started."""
    with Children(system.environment(found), layout.logs / "processes", prefect_stack.PROJECT) as children:
        yield system.System(found, children)


def worker():
    return prefect_stack.worker_arguments(system.worker_name())


def test_the_parts_that_a_killed_up_left_are_ended_before_a_new_one_starts_its_own(lake_up, layout, process, tmp_path):
    parts = [
        process(*prefect_stack.server_arguments("127.0.0.1", 1), mark=layout.base),
        process(*worker(), mark=layout.base),
    ]
    run = process("-m", "prefect.engine", mark=layout.base)
    others = [process(*worker(), mark=tmp_path / "other"), process(*worker())]
    told = lake_up.clear()
    assert [one.wait(10) is not None for one in parts] == [True, True]
    assert [one.poll() for one in (run, *others)] == [None] * 3, "a run goes on; another lake's is not ours"
    assert sorted(line.split(":")[0] for line in told) == ["server", "worker"]


def test_to_stop_ends_everything_of_this_lake_and_nothing_else(lake_up, layout, process, tmp_path):
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    run = process("-m", "prefect.engine", mark=layout.base, code=stubborn)
    other, by_hand = process(*worker(), mark=tmp_path / "other"), process("-m", "flows", "collect-live")
    say_it_collects(layout, by_hand)
    lake_up.stop()
    assert run.wait(10) is not None
    assert [one.poll() for one in (other, by_hand)] == [None, None]


def say_it_collects(layout, process, age_s=0.0):
    now = datetime.now(UTC) - timedelta(seconds=age_s)
    signs.write(layout, Sign("collector", "running", now, Process.of(process.pid)))


class Server:
    """Prefect's server, on which nothing is ordered yet."""

    def active(self, pool, types):
        return []

    def deployment(self, name):
        return "deployment"

    def run(self, name):
        return "run"


def test_a_collector_that_hangs_is_ended_before_another_is_ordered(layout, process):
    hangs = process("-m", "prefect.engine", mark=layout.base)
    hangs.send_signal(signal.SIGSTOP)
    say_it_collects(layout, hangs, 61)
    assert collector_run.collecting(layout) is None
    assert isinstance(collector_run.order(Server(), layout), collector_run.Ordered)
    assert hangs.wait(10) == -signal.SIGKILL


def test_one_that_a_person_started_and_that_hangs_is_named_and_left_alone(layout, process):
    hangs = process("-m", "flows", "collect-live")
    say_it_collects(layout, hangs, 61)
    with pytest.raises(LakeError, match=f"process {hangs.pid}, not started by up"):
        collector_run.order(Server(), layout)
    assert hangs.poll() is None


def test_on_a_full_disk_a_collector_that_cannot_say_its_sign_is_not_taken_for_dead(small_disk, monkeypatch, process):
    monkeypatch.setenv("LAKE_BASE_PATH", str(small_disk))
    found = settings.load()
    say_it_collects(found.layout, process(mark=small_disk), 600)
    lake_up = system.System(found, Children({}, found.layout.logs, small_disk))
    assert not lake_up._collects()
    ballast = small_disk / "ballast"
    with suppress(OSError):
        ballast.write_bytes(bytes(2 << 20))
    with pytest.raises(LakeError, match="No space left"):
        lake_up.signs()
    assert lake_up._collects()
    ballast.unlink()
    lake_up.signs()
    assert not lake_up._collects(), "it could say it now"


def test_a_collector_that_hangs_while_it_holds_the_heartbeat_is_taken_for_dead_all_the_same(
    lake_up, layout, process, monkeypatch
):
    monkeypatch.setattr(health, "_LOCK_S", 0.05)
    say_it_collects(layout, process(mark=layout.base), 61)
    with locks.health(layout), pytest.raises(LakeError, match="held by another process"):
        lake_up.signs()
    assert not lake_up._collects()


def test_of_a_part_that_is_silent_the_heartbeat_says_so(lake_up, layout):
    for part in lake_up.parts:
        part.state = "running"
    lake_up.signs()
    assert signs.read_one(layout, "worker").status == "running"
    for part in lake_up.parts:
        part.state = "silent"
    lake_up.signs()
    told = signs.json_of(layout.heartbeat)
    assert (told["server"]["status"], told["worker"]["status"], told["state"]) == ("error", "error", "ERROR")


def test_down_ends_what_a_killed_up_has_left(layout, process, monkeypatch):
    left = [process(*worker(), mark=layout.base), process("-m", "prefect.engine", mark=layout.base)]
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    say_it_collects(layout, left[1])
    assert up.down() == "stopped what one that was killed had left"
    assert [one.wait(10) is not None for one in left] == [True, True]
    with pytest.raises(LakeError, match="is not up"):
        up.down()


@pytest.mark.parametrize("told", ["", "[1]", '{"parts": 5}', '{"parts": ['])
def test_status_reads_a_torn_file_as_nothing_known_yet(layout, monkeypatch, told):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    layout.logs.mkdir(parents=True)
    (layout.logs / "up.json").write_text(told)
    assert up.status() is None
    with locks.up(layout):
        assert up.status() == {"parts": []}


def test_an_up_that_has_written_nothing_for_long_hangs():
    now = datetime(2025, 10, 20, 12, tzinfo=UTC)
    assert up.silent_s({"ts_utc": "2025-10-20T11:59:00Z"}, now) is None
    assert up.silent_s({"ts_utc": "2025-10-20T11:50:00Z"}, now) == 600
    assert up.silent_s({"parts": []}, now) is None


def test_deployments_that_a_server_has_lost_are_made_anew(monkeypatch):
    made, there = [], [True]
    monkeypatch.setattr(deployed.stack, "deploy", made.append)
    monkeypatch.setattr(deployed.prefect_automations, "put", lambda *_: [])
    api = SimpleNamespace(has_deployment=lambda name: there[0])
    one = deployed.Deployed(api, "children", None)

    def look(now):
        one.tick(now)
        one._errand._thread.join(10)

    assert not one.up
    look(0)
    look(100)
    assert (one.up, made) == (True, ["children"])
    there[0] = False
    look(200)
    assert (one.up, made) == (True, ["children"] * 2)


def test_a_port_that_another_lakes_part_has_is_refused_and_one_of_its_own_is_not(found, tmp_path, process, layout):
    listen = (
        "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[-1])))\n"
        "print(1, flush=True); time.sleep(600)"
    )
    other = process("-m", "deployments.docs_server", "--port", str(found.docs.port), mark=tmp_path / "b", code=listen)
    layout.base.mkdir()
    with pytest.raises(BadInputError, match=rf"port docs: {found.docs.port} is taken by the lake {tmp_path / 'b'}"):
        doctor.before_up(found)
    other.kill()
    other.wait()
    process("-m", "deployments.docs_server", "--port", str(found.docs.port), mark=layout.base, code=listen)
    assert {one.name: one.state for one in ports.all_of(found)}["port docs"] == "ok"


def test_what_a_killed_demo_left_is_ended_before_its_folder_is_taken_away(process, tmp_path):
    demo_folder.clear(tmp_path)
    stand_in, of_another = (
        process("-m", "simulator", mark=tmp_path),
        process("-m", "simulator", mark=tmp_path / "other"),
    )
    demo_folder.clear(tmp_path)
    assert stand_in.wait(10)
    assert of_another.poll() is None
