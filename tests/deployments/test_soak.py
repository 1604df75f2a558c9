"""Three minutes of `benchmarks.soak` (`make soak` runs it for an hour): every trade is held or known as missing."""

import subprocess
import sys

import pytest

from deployments.prefect_stack import PROJECT

pytestmark = [pytest.mark.slow(minutes=5), pytest.mark.timeout(1200)]


def test_three_minutes_of_killed_parts_leave_no_run_stuck_and_no_trade_untold():
    command = (sys.executable, "-m", "benchmarks.soak", "--minutes", "3", "--kill-every", "45")
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "wrong: nothing" in told.stdout
