import os
from datetime import UTC, datetime, timedelta

import pytest
from loguru import logger

from lake import log, settings
from lake.errors import BadInputError, LakeError
from tests.conftest import fill


@pytest.fixture
def found(tmp_path, monkeypatch):
    monkeypatch.setenv("LAKE_BASE_PATH", str(tmp_path / "lake"))
    yield settings.load()
    logger.remove()


def test_lines_go_to_the_days_file_to_the_console_and_to_who_listens(found, capsys):
    heard = []
    log.start(found, sink=heard.append)
    logger.info("bars of {}", "SOLUSDT")
    (path,) = found.layout.logs.iterdir()
    assert path.name == f"crypto-lake_{datetime.now(UTC):%Y-%m-%d}.log"
    assert path.read_text().endswith("bars of SOLUSDT\n")
    assert "bars of SOLUSDT" in capsys.readouterr().err
    assert [str(line).strip() for line in heard] == ["bars of SOLUSDT"]


@pytest.mark.parametrize("odd", ["{time}", "a{b", "a}b {0}", "%s %(x)s", "it's #1 ~$HOME", "币 é", "-x", "a=1&b;c!"])
def test_a_base_path_with_odd_signs_is_logged_in(tmp_path, monkeypatch, odd):
    monkeypatch.setenv("LAKE_BASE_PATH", str(tmp_path / odd))
    found = settings.load()
    log.start(found, console=False)
    logger.info("in {}", found.base_path)
    logger.remove()
    (path,) = (tmp_path / odd / "logs").iterdir()
    assert path.read_text().endswith(f"in {tmp_path / odd}\n")


def test_files_older_than_the_retention_go(found):
    found.layout.logs.mkdir(parents=True)
    old, kept = (found.layout.logs / f"crypto-lake_{day}.log" for day in ("2020-01-01", "2020-02-01"))
    for path in (old, kept):
        path.write_text("x")
    os.utime(old, (0, 0))
    log.start(found, console=False)
    logger.info("x")
    logger.remove()
    assert not old.exists()
    assert kept.exists()


def test_a_file_a_day_in_utc_which_is_opened_anew_at_midnight_and_old_ones_go_then(found):
    log.start(found, console=False)
    midnight = datetime(2025, 10, 21, tzinfo=UTC)
    old = found.layout.logs / "crypto-lake_2025-10-01.log"
    old.write_text("")
    os.utime(old, (0, 0))
    for at in (midnight - timedelta(microseconds=1), midnight):
        logger.patch(lambda record, at=at: record.update(time=at)).info("a line of {}", at.date())
    assert {path.name: path.read_text().splitlines()[0][-10:] for path in found.layout.logs.iterdir()} == {
        f"crypto-lake_{day}.log": day for day in ("2025-10-20", "2025-10-21")
    }


def test_while_the_disk_is_full_lines_are_counted_and_one_line_says_so(small_disk, monkeypatch, capsys):
    monkeypatch.setenv("LAKE_BASE_PATH", str(small_disk))
    found = settings.load()
    log.start(found, console=False)
    logger.info("first")
    ballast = fill(small_disk)
    for number in range(200):
        logger.info("{} {}", number, "x" * 100)
    told = capsys.readouterr().err.splitlines()
    assert told == [f"crypto-lake: {small_disk / 'logs'}: cannot be written (No space left on device)"]
    with pytest.raises(LakeError, match="No space left on device: make room") as failed:
        log.start(found)
    assert not isinstance(failed.value, BadInputError)
    ballast.unlink()
    logger.info("there is room again")
    logger.remove()
    [path] = (small_disk / "logs").iterdir()
    lines = path.read_text().splitlines()
    assert lines[0].endswith("first")
    kept = sum(line.endswith("x" * 100) for line in lines)
    assert lines[-2] == f"{200 - kept} lines before this one could not be written"
    assert lines[-1].endswith("there is room again")


def test_what_goes_wrong_again_and_again_is_logged_once_a_minute_with_how_often(found, capsys):
    log.start(found)
    seldom = log.Seldom(3600)
    for number in range(5):
        seldom.log("ERROR", "write", f"cannot be written {number}")
    seldom.log("ERROR", "name", "cannot be named")
    said = capsys.readouterr().err
    assert said.count("cannot be written") == said.count("cannot be named") == 1
    seldom._every_s = 0
    seldom.log("ERROR", "write", "cannot be written 5")
    assert "cannot be written 5 (4 lines like this one were left out)" in capsys.readouterr().err
    seldom.log("ERROR", "write", "cannot be written 6")
    assert "left out" not in capsys.readouterr().err


@pytest.mark.parametrize("base", ["/proc/lake", "{file}/lake"])
def test_a_base_path_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, base):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LAKE_BASE_PATH", base.format(file=tmp_path / "file"))
    with pytest.raises(BadInputError, match=r"base_path .* cannot be written") as error:
        log.start(settings.load())
    assert "\n" not in str(error.value)
