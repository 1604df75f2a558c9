"""Ten minutes of `benchmarks.soak`, of which docs/decisions/running.md tells two hours: nothing is lost untold."""

import subprocess
import sys

import pytest

from deployments.prefect_stack import PROJECT

pytestmark = [pytest.mark.slow(minutes=12), pytest.mark.timeout(1500)]


def test_ten_minutes_of_killed_parts_leave_no_run_stuck_and_no_trade_untold():
    command = (sys.executable, "-m", "benchmarks.soak", "--minutes", "10", "--kill-every", "60")
    told = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "wrong: nothing" in told.stdout
