import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from deployments.processes import GENTLE_S, Children
from deployments.system import Alone
from lake.errors import LakeError
from tests.live import wait

FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def children(tmp_path):
    with Children(os.environ, tmp_path / "logs", tmp_path) as children:
        yield children


def said(child, word):
    return lambda: child.log.exists() and word in child.log.read_text()


def alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_process_is_ended_with_all_it_started(children):
    parent = children.start("family", "-c", FAMILY)
    parent.wait_for(said(parent, "child"), 20)
    grandchild = int(parent.log.read_text().split()[1])
    assert alive(grandchild)
    parent.stop()
    assert not alive(parent.pid)
    assert not alive(grandchild)


def test_orphans_of_a_process_that_was_killed_are_ended_too(children):
    parent = children.start("family", "-c", FAMILY)
    parent.wait_for(said(parent, "child"), 20)
    grandchild = int(parent.log.read_text().split()[1])
    psutil.Process(parent.pid).kill()
    parent.wait_to_end(10)
    assert alive(grandchild)
    parent.stop()
    assert not alive(grandchild)


def test_one_that_does_not_listen_is_ended_by_force_when_its_time_is_over(tmp_path):
    with Children(os.environ, tmp_path / "logs", tmp_path, gentle_s=0.2) as children:
        child = children.start("stubborn", "-c", STUBBORN)
        child.wait_for(said(child, "ready"), 20)
        began = time.monotonic()
        child.stop()
    assert child.exit_code == -signal.SIGKILL
    assert time.monotonic() - began < GENTLE_S / 2


def test_sigint_ends_a_child_even_when_the_parent_ignores_it(tmp_path):
    """As under `nohup … &`, where a child would inherit SIGINT ignored."""
    script = (
        "import os, signal, sys; from pathlib import Path; from deployments.processes import Children\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "with Children(os.environ, Path('logs'), Path('.')) as children:\n"
        "    child = children.start('one', '-c', 'import time; print(1, flush=True); time.sleep(600)')\n"
        "    child.wait_for(lambda: child.log.read_text() != '', 20)\n"
        "print(child.exit_code)\n"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() in {"1", "-2"}, done.stderr
    assert time.monotonic() - began < 15


def test_one_that_ends_before_it_is_ready_is_told_with_its_last_word(children):
    child = children.start("broken", "-c", "print('the port is taken'); raise SystemExit(3)")
    with pytest.raises(LakeError, match=r"broken has ended \(3\): the port is taken"):
        child.wait_for(lambda: False, 20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_it_ends_its_children_first_even_where_sigint_was_ignored(tmp_path, number):
    script = (
        "import os, signal, sys, time; from pathlib import Path; from deployments.processes import Children\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # nohup, which these tests may be run by, has it ignored
        "with Children(os.environ, Path('logs'), Path('.')) as children:\n"
        "    print(children.start('one', '-c', 'import time; time.sleep(600)').pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.send_signal(number)
    assert "KeyboardInterrupt" in parent.communicate(timeout=30)[1].decode()
    assert not alive(child)


def test_what_is_being_ended_starts_nothing_more_and_hears_no_further_ctrl_c(tmp_path):
    with Children(os.environ, tmp_path / "logs", tmp_path) as children:
        children.close()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.raise_signal(number)
        with pytest.raises(LakeError, match="not started any more"):
            children.start("one", "-c", "")


def test_one_that_is_started_again_and_again_leaves_no_trace_of_those_before(children):
    """Each would be looked for when all are ended: after a day of a full disk, thousands."""
    for _ in range(3):
        child = children.start("one", "-c", "")
        child.wait_to_end(20)
    assert len(children._all) == 1


def test_a_worker_that_is_given_up_leaves_its_runs_at_work(children):
    worker = Alone(children.start("worker", "-c", FAMILY))
    log = children.logs / "worker.log"
    wait(lambda: "child" in log.read_text())
    run = int(log.read_text().split()[1])
    worker.stop()
    assert worker.exit_code == -signal.SIGKILL
    assert alive(run)
