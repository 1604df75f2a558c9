"""What an `up` has started is found again and ended; what another lake's has, or a person, is left alone."""

import os
import subprocess
import sys
import time

import pytest

from deployments import doctor, ports, prefect_stack, started, system
from deployments.processes import Children
from lake import settings, signs
from lake.errors import BadInputError
from lake.signs import Process, Sign
from lake.windows import moment

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
    layout.health.mkdir(parents=True)
    signs.write(layout, Sign("collector", "running", moment(time.time_ns() // 1000), Process.of(by_hand.pid)))
    lake_up.stop()
    assert run.wait(10) is not None
    assert [one.poll() for one in (other, by_hand)] == [None, None]


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
