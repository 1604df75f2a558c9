"""What doctor says of hosts and of the clock."""

import socket
import time

import pytest

from lake import doctor_net
from lake.windows import SECOND_US
from simulator import Simulator


def test_hosts_that_answer_are_told_with_their_latency_and_the_clock_agrees():
    with Simulator(symbols=["SOLUSDT"], seed=1) as sim:
        hosts = binance(rest_url=sim.rest_url, futures_url=sim.rest_url, archive_url=sim.rest_url)
        found = [*doctor_net.rest(hosts), doctor_net.archive(hosts), doctor_net.yahoo(sim.rest_url)]
    assert [one.state for one in found] == ["ok"] * 4, found
    assert " ms" in found[0].said


@pytest.mark.parametrize("ahead", [-120, 120])
def test_a_clock_two_minutes_off_fails(ahead):
    with Simulator(symbols=["SOLUSDT"], seed=1, clock=lambda: time.time_ns() // 1000 - ahead * SECOND_US) as sim:
        _, found = doctor_net.rest(binance(rest_url=sim.rest_url))
    assert found.state == "fail"
    assert ("120 s ahead" if ahead > 0 else "120 s behind") in found.said
    assert "timedatectl" in found.remedy


@pytest.mark.parametrize(
    ("ahead", "uncertain", "state"),
    [
        (0.2, 0.1, "ok"),
        (1.5, 0.1, "warn"),
        (-1.5, 0.1, "warn"),
        (1.5, 0.8, "ok"),
        (-5.5, 0.1, "fail"),
        (5.2, 0.3, "warn"),
    ],
)
def test_a_clock_is_judged_by_what_is_sure(ahead, uncertain, state):
    assert doctor_net.off("clock", ahead, uncertain, "theirs").state == state


@pytest.mark.parametrize(
    ("delays", "state"), [([], "ok"), ([0.05, 0.1, 99], "ok"), ([-2, -1.9], "warn"), ([120], "fail")]
)
def test_a_clock_by_trades(delays, state):
    assert doctor_net.by_trades(delays).state == state


def test_a_host_that_is_silent_closed_or_unwilling(monkeypatch):
    monkeypatch.setattr(doctor_net, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        found, clock = doctor_net.rest(binance(rest_url=url))
    assert (found.state, clock.state) == ("fail", "warn")
    closed = url
    assert doctor_net.futures(binance(futures_url=closed)).state == "warn"
    assert "futures_url" in doctor_net.futures(binance(futures_url=closed)).remedy
    assert "451" in doctor_net.judged("x", "u", doctor_net.Reply(451, 0.1), "warn", "k").said
    assert doctor_net.judged("x", "u", doctor_net.Reply(503, 0.1), "fail", "k").state == "fail"
    assert doctor_net.judged("x", "u", doctor_net.Reply(429, 0.1), "fail", "k").state == "ok"


def binance(**urls):
    from lake.sections import Binance

    return Binance(**urls)
