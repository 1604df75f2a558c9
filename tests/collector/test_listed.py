"""Pairs that the exchange does not list are not recorded, and recording does not wait for that answer."""

import socket
import time

import pytest
from loguru import logger

from collector import listed as module
from collector.listed import listed
from lake import health_report
from lake.errors import BadInputError
from lake.settings import Settings
from simulator import Simulator

FOLLOWED = ["SOLUSDT", "NOPEUSDT", "BTCUSDT"]


@pytest.fixture
def said():
    lines = []
    number = logger.add(lambda message: lines.append(message.record["message"]), level="INFO")
    yield lines
    logger.remove(number)


@pytest.fixture
def at(layout):
    return lambda url: Settings(base_path=str(layout.base), binance={"rest_url": url})


@pytest.fixture
def sim():
    with Simulator(["SOLUSDT", "BTCUSDT"]) as running:
        yield running


def test_a_pair_that_is_not_listed_is_named_once_and_not_recorded_unless_forced(sim, at, said):
    found = listed(at(sim.rest_url), FOLLOWED)
    assert (found.symbols, found.unlisted) == (["SOLUSDT", "BTCUSDT"], ["NOPEUSDT"])
    assert [line for line in said if "NOPEUSDT" in line and "does not list" in line] == said
    assert listed(at(sim.rest_url), FOLLOWED, force=True).symbols == FOLLOWED


def test_where_none_is_listed_there_is_nothing_to_record(sim, at):
    with pytest.raises(BadInputError, match="does not list NOPEUSDT: correct"):
        listed(at(sim.rest_url), ["NOPEUSDT"])


def test_what_the_lake_holds_is_known_and_nobody_is_asked(layout, at, said):
    for folder in (layout.raw / "SOLUSDT", layout.parquet / "NOPEUSDT"):
        folder.mkdir(parents=True)
    found = listed(at("http://127.0.0.1:1"), ["SOLUSDT", "NOPEUSDT"])
    assert (found.symbols, found.unlisted, said) == (["SOLUSDT", "NOPEUSDT"], [], [])


def test_where_rest_does_not_answer_all_are_recorded_soon_and_that_is_said(at, said, monkeypatch):
    monkeypatch.setattr(module, "ASK_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = time.monotonic()
        found = listed(at(f"http://127.0.0.1:{silent.getsockname()[1]}"), FOLLOWED)
        assert time.monotonic() - before < 3
    assert (found.symbols, found.unlisted) == (FOLLOWED, [])
    assert "is not known" in said[-1]


def test_health_names_what_is_not_recorded():
    (found,) = health_report._unlisted({"unlisted": ["NOPEUSDT"]})
    assert "NOPEUSDT" in found.what
    assert health_report._unlisted({"unlisted": []}) == health_report._unlisted({}) == []
