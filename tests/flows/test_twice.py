"""Twice gives once: a second run of each flow leaves the lake the same, file by file in content."""

import pytest

from tests.conftest import Raw, content

pytestmark = pytest.mark.slow
FLOWS = [
    ["transform-hour"],
    ["transform-hour", "--start", "2025-10-20", "--end", "2025-10-22"],
    ["compact-day"],
    ["validate-rules", "--start", "2025-10-20", "--end", "2025-10-21"],
    ["validate-rules", "--start", "2025-10-20", "--end", "2025-10-21", "--tf", "1m"],
    ["transform-hour"],
]


def test_after_two_runs_of_each_flow_the_lake_is_the_same(command, layout):
    raw = Raw(layout)
    raw.put(*[raw.trade(n, n * 900) for n in range(1, 60)], b"torn", raw.quote(1, 5000))
    raw.put(raw.trade(60, 86_400 + 50), raw.trade(62, 86_400 + 70))
    for arguments in FLOWS:
        assert command(*arguments).returncode == 0
        once = content(layout.base)
        assert command(*arguments).returncode == 0
        assert content(layout.base) == once, arguments
