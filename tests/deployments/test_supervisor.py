"""What keeps parts alive, with processes and a clock of the test's own."""

import pytest

from deployments.supervisor import FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S, Part


class Process:
    """One that runs until the test ends it."""

    pid = 4711

    def __init__(self):
        self.exit_code, self.stopped = None, False

    def last_line(self):
        return "its last word"

    def stop(self):
        self.stopped, self.exit_code = True, -9


class World:
    """A part, the processes that were started for it, and whether it answers."""

    def __init__(self, **values):
        self.started, self.answers = [], False
        self.part = Part("part", self.start, lambda: self.answers, **values)
        self.now = 1000.0

    def start(self):
        self.started.append(Process())
        return self.started[-1]

    def tick(self, seconds=1.0):
        self.now += seconds
        self.part.tick(self.now)
        return self.part.state


@pytest.fixture
def world():
    return World()


def test_it_is_started_once_and_runs_when_it_answers(world):
    assert [world.tick(), world.tick()] == ["starting", "starting"]
    world.answers = True
    assert world.tick() == "running"
    assert len(world.started) == 1
    assert world.part.up


def test_one_that_dies_is_started_again_and_its_last_word_is_kept(world):
    world.tick()
    world.started[-1].exit_code = 1
    assert world.tick() == "died"
    assert world.part.said == "ended with 1: its last word"
    assert world.tick(FIRST_PAUSE_S) == "starting"
    assert (len(world.started), world.part.restarts) == (2, 1)


def test_the_pause_doubles_up_to_its_limit_and_begins_anew_after_a_steady_time(world):
    pauses = []
    for _ in range(8):
        world.tick(0.0) if world.part.process else None
        while world.part.process is None:
            world.tick(0.25)
        world.started[-1].exit_code = 1
        world.tick(0.0)
        died = world.now
        while world.part.process is None:
            world.tick(0.25)
        pauses.append(round(world.now - died))
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert max(pauses) == LONGEST_PAUSE_S
    world.answers = True
    world.tick()
    world.tick(STEADY_S + 1)
    world.answers = False
    world.started[-1].exit_code = 1
    world.tick()
    assert world.tick(FIRST_PAUSE_S) == "starting"


def test_one_that_runs_and_gives_no_answer_is_ended_and_started_again(world):
    world.tick()
    world.answers = True
    world.tick()
    world.answers = False
    assert world.tick() == "silent"
    assert world.tick(world.part.patience_s + 1) == "died"
    assert world.started[0].stopped
    assert world.tick(FIRST_PAUSE_S) == "starting"


def test_one_that_takes_its_time_to_start_is_not_ended_as_silent(world):
    world.tick()
    assert world.tick(world.part.patience_s + 1) == "starting"
    assert world.tick(world.part.start_s) == "died"
    assert world.started[0].stopped


def test_what_runs_already_is_used_and_when_it_goes_one_of_our_own_is_started(world):
    world.answers = True
    assert world.tick() == "reused"
    assert world.started == []
    world.answers = False
    world.tick()
    assert world.tick(FIRST_PAUSE_S) == "starting"
    assert len(world.started) == 1


def test_it_waits_for_what_it_needs():
    first = World()
    second = World(needs=(first.part,))
    assert second.tick() == "waiting"
    first.answers = True
    first.tick()
    assert second.tick() == "starting"


def test_a_start_that_fails_is_tried_again_and_ends_nothing(world):
    broken = World()
    broken.part.start = lambda: 1 / 0
    assert broken.tick() == "died"
    assert "division by zero" in broken.part.said
    broken.part.start = broken.start
    assert broken.tick(FIRST_PAUSE_S) == "starting"
