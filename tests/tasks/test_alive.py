"""A flow's runs in the heartbeat: well, failed, refused, interrupted, killed, two at once."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from prefect.states import Completed

from lake import health, signs
from lake.errors import BadInputError, LakeError
from tasks import alive, runs
from tests.live import wait


@pytest.fixture
def flow(layout, monkeypatch):
    """Run a function as the flow ``transform_hour`` on the test's lake; gives what the heartbeat says after it."""
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))

    def run(function, name="transform_hour"):
        def body():
            return function()

        body.__name__ = name
        try:
            runs.reported(body)()
        finally:
            found = health.read(layout)
        return found

    return run


def part(layout, name="transformer"):
    return health.compose(layout, datetime.now(UTC))[name]


def fail(error):
    raise error


def test_a_run_that_ends_well_tells_when_how_long_and_how_many_rows(flow, layout):
    seen = []
    found = flow(lambda: seen.append(part(layout)["status"]) or runs.ended("7 bars", {}, 7))["transformer"]
    assert seen == ["running"]
    assert found["last_run_start"] < found["last_run_end"] == found["last_success"]
    assert (found["last_run_rows_written"], found["last_error"]) == (7, None)
    assert 0 < found["last_duration_s"] < 60
    health.say(layout, "collector", "running", datetime.now(UTC))
    assert part(layout)["status"] == "idle"


def test_a_run_that_fails_is_an_error_until_one_ends_well(flow):
    found = flow(lambda: runs.ended("3 bars", {"SUIUSDT": "no room"}, 3))
    assert (found["transformer"]["status"], found["state"]) == ("error", "ERROR")
    assert "SUIUSDT: no room" in found["transformer"]["last_error"]
    with pytest.raises(LakeError):
        flow(lambda: fail(LakeError("disk full")))
    assert flow(lambda: runs.ended("1 bar", {}, 1))["transformer"]["last_error"] is None


@pytest.mark.parametrize(
    ("error", "told"), [(LakeError("disk full"), "disk full"), (ZeroDivisionError("by 0"), "ZeroDivisionError: by 0")]
)
def test_an_error_is_told_and_raised(flow, layout, error, told):
    with pytest.raises(type(error)):
        flow(lambda: fail(error))
    assert (part(layout)["status"], part(layout)["last_error"]) == ("error", told)


@pytest.mark.parametrize("error", [BadInputError("no such symbol"), KeyboardInterrupt()])
def test_bad_input_and_an_interrupt_leave_it_as_it_was(flow, layout, error):
    before = flow(lambda: runs.ended("7 bars", {}, 7))["transformer"]
    with pytest.raises(type(error)):
        flow(lambda: fail(error))
    changed = {"last_run_start"}
    assert {k: v for k, v in part(layout).items() if k not in changed} == {
        k: v for k, v in before.items() if k not in changed
    }


def test_a_verdict_is_told_with_the_rows_checked_and_other_flows_are_there_by_their_names(flow):
    found = flow(lambda: runs.judged("FAIL", "9 rows", {"rows": 9}), "validate_rules")["flows"]["validate_rules"]
    assert (found["status"], found["last_run_rows_written"], found["last_error"]) == ("error", 9, "FAIL: 9 rows")


def test_the_collectors_flow_is_none_of_them(flow, layout):
    health.write(layout, datetime.now(UTC))
    assert flow(Completed, "collect_live")["flows"] == {}
    assert signs.read(layout) == {}


def test_a_lake_that_takes_no_sign_fails_no_run(layout, monkeypatch):
    layout.logs.mkdir(parents=True)
    layout.health.write_text("in the way")
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    assert runs.reported(lambda: runs.ended("7 bars", {}, 7))().message == "7 bars"


def test_a_long_run_says_that_it_is_still_at_work(flow, layout, monkeypatch):
    monkeypatch.setattr(alive, "BEAT_EVERY_S", 0.01)

    def beats():
        def said():
            return signs.read_one(layout, "transformer").fields["runs"][0]["ts_utc"]

        wait(layout.heartbeat.exists)
        first, page = said(), layout.heartbeat.stat().st_mtime_ns
        wait(lambda: said() != first)
        wait(lambda: layout.heartbeat.stat().st_mtime_ns != page)
        return runs.ended("done", {})

    assert flow(beats)["transformer"]["status"] != "error"


@pytest.mark.slow
def test_a_run_that_is_killed_is_an_error_and_two_at_once_are_told_each(flow, layout):
    code = (
        "import time; from tasks import runs\n"
        "def transform_hour():\n print('at work', flush=True); time.sleep(600)\n"
        "runs.reported(transform_hour)()"
    )
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
            env={**os.environ, "LAKE_BASE_PATH": str(layout.base)},
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        assert [process.stdout.readline() for process in pair] == ["at work\n"] * 2
        assert len(signs.read_one(layout, "transformer").fields["runs"]) == 2
        pair[0].kill()
        pair[0].wait()
        assert part(layout)["status"] == "running", "the other still is"
        pair[1].kill()
        pair[1].wait()
        assert part(layout)["status"] == "error"
        assert part(layout)["last_error"] == "its process died in the middle of a run"
    finally:
        for process in pair:
            process.kill()
            process.communicate()
    assert flow(lambda: runs.ended("7 bars", {}, 7))["transformer"]["last_error"] is None
    json.dumps(health.read(layout))
