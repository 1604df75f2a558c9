"""The request limit that all processes of a lake share."""

import subprocess
import sys

import pytest

from lake.budget import Budget
from lake.errors import LakeError


class Clock:
    now = 1_000_000_040.0  # twenty seconds into a minute

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budget(tmp_path, clock):
    made = Budget(tmp_path / "limits.sqlite", "spot weight", 100, clock=clock)
    yield made
    made.close()


def test_what_does_not_fit_waits_for_the_exchanges_next_minute(budget, clock):
    assert [budget.take(40), budget.take(40)] == [0, 0]
    assert budget.free() == 18
    assert budget.take(20) == 40
    clock.now += 40
    assert budget.take(20) == 0
    assert budget.free() == 78


def test_minutes_are_those_of_the_exchanges_clock_and_use_is_kept_when_it_is_learnt(budget, clock):
    budget.take(30)
    budget.learn(60, ahead_s=3600 + 15)
    assert budget.free() == 28
    assert budget.take(40) == 25


def test_more_than_a_whole_minute_has_is_let_through_alone(budget):
    assert budget.take(500) == 0
    assert budget.take(1) > 0


def test_the_exchanges_own_count_is_believed_where_it_is_higher(budget):
    budget.take(50)
    budget.counted(20)
    assert budget.free() == 48
    budget.counted(97)
    assert budget.free() == 1


def test_a_ban_has_everybody_wait_whatever_is_free(budget, clock, tmp_path):
    budget.stop_for(300)
    other = Budget(tmp_path / "limits.sqlite", "spot weight", 100, clock=clock)
    assert (other.take(1), other.free()) == (300, 0)
    other.close()
    clock.now += 301
    assert budget.take(1) == 0


def test_accounts_do_not_share(budget, clock, tmp_path):
    other = Budget(tmp_path / "limits.sqlite", "futures weight", 100, clock=clock)
    budget.take(90)
    assert other.free() == 98
    other.close()


def test_processes_take_from_one_limit_and_never_more_than_there_is(tmp_path):
    program = (
        "import sys; from pathlib import Path; from lake.budget import Budget\n"
        "b = Budget(Path(sys.argv[1]), 'x', 1000, clock=lambda: 1e9)\n"
        "print(sum(b.take(1) == 0 for _ in range(400)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "limits.sqlite")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in running) == 980


@pytest.mark.parametrize("spoil", [lambda path: path.mkdir(), lambda path: path.write_bytes(b"no database" * 999)])
def test_a_file_that_is_none_is_named_in_a_line(tmp_path, spoil):
    spoil(tmp_path / "limits.sqlite")
    with pytest.raises(LakeError, match=r"limits.sqlite: .*remove"):
        Budget(tmp_path / "limits.sqlite", "x", 100)


def test_a_folder_that_cannot_be_made_is_named_in_a_line(tmp_path):
    (tmp_path / "ledger").write_text("a file")
    with pytest.raises(LakeError, match="ledger"):
        Budget(tmp_path / "ledger" / "limits.sqlite", "x", 100)
