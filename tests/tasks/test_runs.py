from collections import Counter

import pytest

from lake.errors import BadInputError, LakeError
from tasks import progress
from tasks.runs import ALREADY_RUNNING, already, each, ended, judged, lake_task, unknown


@lake_task("double {number}")
def double(number: int) -> int:
    """Return twice the number."""
    if number < 0:
        raise BadInputError(f"number {number}: expected one that is not negative")
    return 2 * number


def test_outside_a_flow_run_a_task_is_its_plain_function(monkeypatch):
    """No server is there, and none is started."""
    monkeypatch.setattr("prefect.task_engine.run_task", lambda *_, **__: pytest.fail("a task run was made"))
    assert double(21) == 42
    with pytest.raises(BadInputError, match="number -1"):
        double(-1)


def test_bad_input_is_not_tried_again_other_failures_are():
    from prefect.states import Failed

    again = double.retry_condition_fn
    assert not again(double, None, Failed(data=BadInputError("no")))
    assert again(double, None, Failed(data=LakeError("disk full")))
    assert again(double, None, Failed(data=OSError("reset")))
    assert (double.retries, double.retry_jitter_factor) == (2, 0.5)


def test_one_that_fails_keeps_no_other_from_being_done():
    told = []

    def call(symbol):
        if symbol == "B":
            raise LakeError("B: no room: free the disk")
        if symbol == "C":
            raise ZeroDivisionError("by nought")
        return symbol.lower()

    done, failed = each(["A", "B", "C", "D"], call, lambda part, what: told.append((part, what)))
    assert done == ["a", "d"]
    assert failed == {"B": "B: no room: free the disk", "C": "ZeroDivisionError: by nought"}
    assert told == [(0, "A"), (0.25, "B"), (0.5, "C"), (0.75, "D"), (1.0, "done")]


def test_an_interrupt_is_not_taken_for_a_failure():
    def call(symbol):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each(["A", "B"], call, progress.quiet)


def test_a_flow_ends_failed_and_names_what_failed():
    assert ended("3 bars", {}).is_completed()
    state = ended("3 bars", {"SUIUSDT": "no room"})
    assert state.is_failed()
    assert state.message == "1 failed: SUIUSDT: no room (done: 3 bars)"


@pytest.mark.parametrize(("verdict", "fails"), [("PASS", False), ("INVESTIGATE", False), ("FAIL", True)])
def test_the_verdict_stands_first_and_only_fail_fails(verdict, fails):
    state = judged(verdict, "9 rows", {"verdict": verdict})
    assert state.is_failed() is fails
    assert state.message == f"{verdict}: 9 rows"
    assert state.data == {"verdict": verdict}


def test_work_that_another_process_does_is_no_failure_but_has_a_name_of_its_own():
    state = already("a collector is running")
    assert (state.is_completed(), state.name) == (True, ALREADY_RUNNING)


def test_symbols_that_nobody_knows_are_failures_only_when_asked_for_by_name():
    assert unknown(["A", "B"], ["B", "C"], "has no bars") == {"A": "has no bars"}
    assert unknown(None, ["B"], "has no bars") == {}


def test_progress_on_a_terminal_is_a_bar_and_elsewhere_nothing(monkeypatch, capsys):
    with progress.shown("transform") as shown:
        shown(0.5, "SOLUSDT")
    assert Counter(capsys.readouterr()) == {"": 2}
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.shown("transform") as shown:
        shown(0.5, "SOLUSDT")
    assert "transform: SOLUSDT" in capsys.readouterr().err
