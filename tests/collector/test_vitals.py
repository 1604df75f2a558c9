"""What a real collector says of itself, and what is said when a part dies: real processes, real kills."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from collector import vitals
from collector.buffer import Buffer
from collector.vitals import SAY_EVERY_S, Vitals
from lake import health, signs
from lake.errors import LakeError
from lake.layout import Layout
from simulator import Simulator
from tests.conftest import fill
from tests.live import Collector, lines, wait
from tests.simulator.clients import order

pytestmark = pytest.mark.slow


@pytest.fixture
def sim():
    with Simulator(["SOLUSDT"], seed=3, rate=40, quote_rate=20) as running:
        yield running


@pytest.fixture
def part():
    """Two processes that do nothing, to be the server and the worker."""
    running = [subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) for _ in range(2)]
    yield running
    for process in running:
        process.kill()
        process.wait()


def now():
    return datetime.now(UTC)


def written(layout):
    """What heartbeat.json says of the collector, or nothing."""
    found = health.read(layout)
    return found and found["collector"]["status"]


def test_it_says_that_it_runs_and_at_the_end_that_it_stopped(layout, sim):
    with Collector(layout, sim, "--symbols", "SOLUSDT") as collector:
        wait(lambda: written(layout) == "running")
        told = wait(lambda: (found := health.compose(layout, now())["collector"])["last_latency_p50_ms"] and found)
        assert told["pid"] == collector.process.pid
        assert 0 < told["last_latency_p50_ms"] <= told["last_latency_p95_ms"] < 60_000
        assert abs((now() - datetime.fromisoformat(told["last_seen_ts"])).total_seconds()) < 60
        assert told["trades"] > 0
        code, output = collector.stop()
    assert code == 0, output
    assert written(layout) == "stopped"
    assert layout.health_report.read_text().startswith("STOPPED\n")


def test_it_is_starting_until_it_receives_something_and_running_as_soon_as_it_does(layout, sim):
    """An earlier collector has received something; of this one the exchange takes the connection, and then it waits."""
    with Collector(layout, sim, "--symbols", "SOLUSDT") as collector:
        wait(lambda: written(layout) == "running")
        collector.stop()
    order(sim, "stall", id="silence")
    with Collector(layout, sim, "--symbols", "SOLUSDT") as collector:
        wait(lambda: written(layout) == "starting")
        found = health.compose(layout, now())
        assert (found["state"], found["exit_code"], found["collector"]["last_seen_ts"]) == ("STARTING", 3, None)
        wait(lambda: layout.health_report.read_text().startswith("STARTING\n"))
        sim.clear_faults("silence")
        wait(lambda: written(layout) == "running", SAY_EVERY_S)
        wait(lambda: layout.health_report.read_text().startswith("HEALTHY\n"))
        collector.stop()


def test_killed_it_is_an_error_at_once_for_whoever_looks(layout, sim):
    with Collector(layout, sim, "--symbols", "SOLUSDT") as collector:
        wait(lambda: written(layout) == "running")
        assert health.compose(layout, now())["exit_code"] == 0
        collector.process.kill()
        killed = time.monotonic()
        found = wait(lambda: (found := health.write(layout, now()))["state"] == "ERROR" and found)
        assert time.monotonic() - killed < 90
        assert (found["collector"]["status"], found["exit_code"]) == ("error", 2)
        assert written(layout) == "error"
        page = layout.health_report.read_text()
        assert page.startswith("ERROR\n")
        assert f"died: process {collector.process.pid} is gone" in page
        assert "start it again: crypto-lake up" in page


def test_while_it_lives_it_says_within_90_seconds_that_server_and_worker_died(layout, sim, part):
    names = dict(zip(("server", "worker"), part, strict=True))
    with Collector(layout, sim, "--symbols", "SOLUSDT"):
        for name, process in names.items():
            health.say(layout, name, "running", now(), pid=process.pid)
        health.write(layout, now())
        assert [health.read(layout)[name]["status"] for name in names] == ["running", "running"]
        wait(lambda: written(layout) == "running")
        for process in part:
            process.kill()
        wait(lambda: [health.read(layout)[name]["status"] for name in names] == ["error", "error"], 90)
        found = health.read(layout)
    assert [one["part"] for one in found["problems"]] == ["server", "worker"]
    assert "is gone" in found["problems"][0]["what"], "its process was looked at, not only its age"


def test_on_a_full_disk_it_says_so_once_a_minute_and_writes_what_waited_as_soon_as_there_is_room(small_disk, sim):
    layout = Layout(small_disk / "lake")

    def troubles():
        return [one["what"] for one in health.compose(layout, now())["problems"] if one["part"] == "collector"]

    with Collector(layout, sim, "--symbols", "SOLUSDT", rotate=3600) as collector:
        wait(lambda: health.compose(layout, now())["collector"].get("trades"))
        ballast = fill(small_disk)
        made = len(sim.trades("SOLUSDT"))
        wait(lambda: len(sim.trades("SOLUSDT")) > made + 400)
        found = health.compose(layout, now() + timedelta(minutes=5))
        assert (found["state"], found["exit_code"], found["problems"][0]["part"]) == ("ERROR", 1, "disk")
        assert found["collector"]["alive"], "it cannot say so, and its process is there"
        ballast.unlink()
        wait(lambda: (health.compose(layout, now())["collector"]["trades"] or 0) > made and not troubles())
        code, output = collector.stop()
    assert code == 0, output
    assert output.count("cannot be written (No space left") in (1, 2), "of some hundred tries, and the sign"
    assert "Traceback" not in output
    got = [line["trade_id"] for line in lines(layout, "SOLUSDT") if line["stream"] == "trade"]
    assert got == list(range(got[0], got[0] + len(got)))
    assert len(got) > 400


def test_a_second_collector_does_not_speak_for_the_first(layout, sim):
    with Collector(layout, sim, "--symbols", "SOLUSDT") as first:
        wait(lambda: written(layout) == "running")
        with Collector(layout, sim, "--symbols", "SOLUSDT") as second:
            second.process.communicate(timeout=60)
        assert signs.read(layout)["collector"].process.pid == first.process.pid
        assert written(layout) == "running"


def test_a_monitor_sees_it_by_exit_code(layout, sim):
    def ask(*options):
        return subprocess.run(
            [sys.executable, "-m", "flows", "health", *options], capture_output=True, text=True,
            env={**os.environ, "LAKE_BASE_PATH": str(layout.base), "NO_COLOR": "1"},
        )  # fmt: skip

    done = ask()
    assert (done.returncode, done.stdout.split()[0]) == (2, "STOPPED")
    assert "crypto-lake up starts it" in done.stdout
    assert not layout.base.exists()
    with Collector(layout, sim, "--symbols", "SOLUSDT"):
        wait(lambda: health.compose(layout, now())["collector"]["status"] == "running")
        done = ask("--json")
        assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "HEALTHY"), done.stdout
        health.say(layout, "worker", "error", now(), last_error="no server")
        done = ask()
        assert (done.returncode, done.stdout.split()[0]) == (1, "ERROR")
        assert "worker: start it again: crypto-lake up" in done.stdout


async def test_an_error_that_ends_it_is_told_and_a_disk_that_cannot_be_written_ends_nothing(layout):
    told = Vitals(layout, Buffer(["SOLUSDT"]), [])
    with pytest.raises(LakeError, match="free the disk"):
        async with told.told():
            raise LakeError("raw: free the disk")
    found = health.compose(layout, now())["collector"]
    assert (found["status"], found["last_error"]) == ("error", "raw: free the disk")
    layout.health.rename(layout.logs / "away")
    layout.health.write_text("in the way")
    async with told.told():
        pass


async def test_signs_go_on_while_it_collects(layout, monkeypatch):
    monkeypatch.setattr(vitals, "SAY_EVERY_S", 0.01)
    beats, enough = [], threading.Event()
    monkeypatch.setattr(vitals.health, "say", lambda *args, **_: beats.append(args[2]))
    monkeypatch.setattr(vitals.health, "write", lambda *_: (beats.append("write"), len(beats) >= 9 and enough.set()))

    async with Vitals(layout, Buffer(["SOLUSDT"]), []).told():
        assert await asyncio.to_thread(enough.wait, 60)
    turn = ["running", "write", *["running"] * (vitals.WRITE_EVERY - 1)]
    assert beats[: 2 * len(turn)] == turn * 2
    assert beats[-2:] == ["stopped", "write"]
