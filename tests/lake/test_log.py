import os
from datetime import UTC, datetime

import pytest
from loguru import logger

from lake import log, settings
from lake.errors import BadInputError


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


@pytest.mark.parametrize("base", ["/proc/lake", "{file}/lake"])
def test_a_base_path_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, base):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LAKE_BASE_PATH", base.format(file=tmp_path / "file"))
    with pytest.raises(BadInputError, match=r"base_path .* cannot be written") as error:
        log.start(settings.load())
    assert "\n" not in str(error.value)
