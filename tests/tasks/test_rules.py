"""The task that checks the lake against the rules."""

from datetime import timedelta

from lake.layout import Layout
from lake.windows import Window
from tasks.rules import check_rules
from tests.expectations.small import SOL, START, bars, write_hours


def test_progress_counts_the_days_up_to_the_present(tmp_path):
    layout, told = Layout(tmp_path), []
    write_hours(layout, bars(60))
    write_hours(layout, bars(60, START + timedelta(days=1)))
    window, now = Window(START, START.replace(year=2261)), START + timedelta(days=1, seconds=60)
    check_rules(layout, [SOL], window, None, "bars", now, None, lambda part, what: told.append((part, what)), [])
    assert told == [(0.0, "SOLUSDT 2025-10-20"), (0.5, "SOLUSDT 2025-10-21")]
