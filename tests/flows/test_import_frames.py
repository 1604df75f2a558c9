"""`crypto-lake import-frames` as a person types it."""

import gzip

import pytest

from collector.recordings import FORMATS
from tests.collector.recorded import files, line, quote, raw_lines, trade, usd_m
from tests.flows.test_commands import refused


@pytest.fixture
def here(tmp_path):
    """Write a file into the folder in which the command runs."""

    def write(name, data):
        (tmp_path / "here" / name).write_bytes(data.encode() if isinstance(data, str) else data)

    return write


def test_a_recording_becomes_bars(command, here, layout):
    here("a.txt", "".join(line(trade(number, number), number) + line(quote(number), number) for number in range(3)))
    done = command("import-frames", "a.txt")
    told = "a.txt: hftbacktest, 3 trades, 3 quotes of SOLUSDT; 1 part; 0 lines ignored, 0 quarantined"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{told}\n", "")
    again = command("import-frames", "a.txt")
    assert (again.returncode, again.stdout) == (0, f"{told} (imported before: nothing changed)\n")
    assert command("transform-hour").stdout == "3 bars of 1 symbol, 0 seconds missing\n"


def test_another_market_is_exit_code_two_and_the_line_that_shows_it(command, here, layout):
    here("usdm.txt", line(trade(1)) + line(usd_m(900_000, 1)))
    words = "usdm.txt line 2: a trade of Binance USD-M futures", "this lake holds Binance spot", "nothing"
    assert refused(command("import-frames", "usdm.txt"), *words)
    assert refused(command("import-frames", "--market", "spot", "usdm.txt"), *words)
    assert files(layout) == []


def test_of_several_files_the_good_ones_are_imported_and_the_code_says_in_part(command, here, layout):
    here("usdm.txt", line(usd_m(1)))
    here("spot.txt", line(trade(1)))
    done = command("import-frames", "usdm.txt", "spot.txt")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stdout.startswith("spot.txt: hftbacktest, 1 trade, 0 quotes of SOLUSDT")
    assert command("import-frames", "usdm.txt", "usdm.txt").returncode == 2


def test_a_torn_gzip_is_exit_code_one_each_time_and_adds_nothing_the_second(command, here, layout):
    text = "".join(line(trade(number, number), number) for number in range(400))
    here("torn.gz", gzip.compress(text.encode(), mtime=0)[:-100])
    done = command("import-frames", "torn.gz")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "torn.gz: gzip cut off at byte " in done.stderr
    before = raw_lines(layout)
    assert done.stdout.startswith(f"torn.gz: hftbacktest, {len(before)} trades, ")
    again = command("import-frames", "torn.gz")
    assert (again.returncode, again.stderr) == (1, done.stderr)
    assert raw_lines(layout) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-"], ["-: standard input cannot be imported"]),
        (["."], [".: is a folder: name the files in it"]),
        (["a.txt", "missing.gz"], ["missing.gz: no such file"]),
        (["--format", "csv", "a.txt"], ["format 'csv': expected hftbacktest"]),
        (["--market", "usdm", "a.txt"], ["market 'usdm': this lake holds Binance spot"]),
        (["b.txt"], ["b.txt: of no known format", "expected hftbacktest"]),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_imported(command, here, layout, arguments, words):
    here("a.txt", line(trade(1)))
    here("b.txt", "hello\n")
    assert refused(command("import-frames", *arguments), *words)
    assert files(layout) == []


def test_the_help_names_every_format(command):
    done = command("import-frames", "--help")
    assert all(name in done.stdout for name in (*FORMATS, "--market", "--format", "crypto-lake import-frames"))
