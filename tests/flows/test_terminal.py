"""What a person at a terminal sees: a table that fits, help that begins with the beginning, no notice of others."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from lake import answers

WIDE = "SELECT " + ", ".join(f"'{number:010}' AS column_{number}" for number in range(20))


@pytest.fixture
def terminal(layout, tmp_path):
    """Run crypto-lake on a terminal so many columns wide, by somebody who has never run it; return what is shown."""

    def run(columns, *words):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        environment = kept | {"HOME": str(tmp_path), "TERM": "xterm", "LAKE_BASE_PATH": str(layout.base)}
        process = subprocess.Popen(
            [sys.executable, "-m", "flows", *words], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # how Linux says that nobody has the other end any more
            pass
        os.close(ours)
        process.wait(60)
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).replace("\r", "")

    return run


def test_a_table_that_is_too_wide_keeps_whole_cells_of_the_first_columns_and_the_last(terminal):
    shown = terminal(100, "sql", WIDE)
    assert max(map(len, shown.splitlines())) <= 100
    assert shown.split()[:3] == ["column_0", "column_1", "column_2"]
    assert "…" in shown
    assert "0000000000" in shown
    assert "0000000019" in shown
    assert re.search(r"1 row; \d of 20 columns: SELECT those you want, or --format csv", shown)


def test_a_table_that_fits_is_whole(terminal):
    shown = terminal(300, "sql", WIDE)
    assert "…" not in shown
    assert shown.rstrip().endswith("1 row")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_terminal_obeys_no_character_of_the_data(terminal, form):
    shown = terminal(
        100, "sql", "--format", form, "SELECT 'a' || chr(155) || '2J' || chr(8238) || chr(27) || 'cb' AS x"
    )
    assert "\x1b" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown
    assert "a\N{REPLACEMENT CHARACTER}2J\N{REPLACEMENT CHARACTER}" in shown


@pytest.mark.parametrize(
    ("widths", "room", "out"),
    [
        ([5, 5, 5], 24, (3, 3)), ([5, 5, 5], 23, (1, 2)), ([5] * 4, 28, (2, 3)), ([5, 90, 5], 40, (1, 2)),
        ([50, 5], 40, (2, 2)), ([], 10, (0, 0)),
    ],
)  # fmt: skip
def test_columns_are_left_out_in_the_middle_and_never_all(widths, room, out):
    assert answers.fitting(widths, room) == out


def test_help_begins_with_how_to_run_it(terminal):
    panels = re.findall(r"╭─ (.+?) ─", terminal(100, "--help"))
    assert panels[:3] == ["Options", "Run it", "How it is, and care"]
    assert "Commands" not in panels, "a command is in no panel"


def test_a_flow_asks_nobody_for_usage_data(terminal):
    shown = terminal(100, "transform-hour")
    assert shown.strip().endswith("nothing to build: no raw input has changed")
    assert "anonymous usage data" not in shown
