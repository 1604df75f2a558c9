"""An exchange that refuses, bans, limits, says nothing, or says what is none."""

import json
import time

import pytest

from lake import backfill
from lake.errors import LakeError
from lake.sections import Binance
from lake.web import RefusedError
from lake.windows import MINUTE_US
from simulator import Simulator
from tests.lake.backfill.exchange import KLINES, NOW, START, Exchange


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("429", {"count": 9, "retry_after": 1}), ("418", {"count": 3, "retry_after": 2}), ("500", {"count": 9}),
        ("truncated", {"count": 9}),
    ],
)  # fmt: skip
def test_storms_are_sat_out_and_nothing_is_lost_or_twice(exchange, kind, more):
    exchange.run("2024-12-29", "2024-12-30")
    exchange.sim.fault(kind, path=KLINES, **more)
    exchange.run("2024-12-29", "2025-01-05")
    assert exchange.held() == exchange.truth("2024-12-29", "2025-01-05")


def test_a_ban_of_hours_ends_the_run_at_once_and_holds_for_the_next_one(exchange):
    exchange.sim.fault("418", path=KLINES, count=1, retry_after=7200)
    with pytest.raises(LakeError, match="HTTP 418 for 7200 s"):
        exchange.run()
    asked = exchange.count(KLINES)
    with pytest.raises(LakeError, match=r"wait 7[12]"):
        exchange.run()
    assert asked() == 0


def test_an_exchange_that_never_answers_ends_the_run_in_a_line_and_the_next_one_goes_on(exchange, monkeypatch):
    monkeypatch.setattr("lake.web._TIMEOUT_S", (0.5, 0.3))
    exchange.run("2025-01-01", "2025-01-02")
    exchange.sim.fault("hang", path=KLINES, duration=3600)
    with pytest.raises(LakeError, match="no answer"):
        exchange.run("2025-01-01", "2025-01-03")
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-01", "2025-01-03").added == 1440
    assert exchange.held() == exchange.truth("2025-01-01", "2025-01-03")


def test_the_limit_is_the_exchanges_own_and_is_waited_for_not_run_into(layout):
    """The exchange's minute has five seconds left: what does not fit into it waits for the next."""
    began = time.monotonic()
    now = NOW // MINUTE_US * MINUTE_US + 55_000_000

    def clock():
        return now + int((time.monotonic() - began) * 1e6)

    with Simulator(["SOLUSDT"], 5, start_us=START, rate=0.2, weight_limit=60, clock=clock) as sim:
        exchange = Exchange(sim, layout)
        exchange.run("2024-12-30", "2025-01-05", source="rest")  # 20 for the limit, 2 for the listing, 18 for candles
        assert time.monotonic() - began < 5
        exchange.run("2024-12-26", "2024-12-30", source="rest")  # 20 for the limit fill the minute
        assert time.monotonic() - began > 5
        held, truth = exchange.held(), exchange.truth("2024-12-26", "2025-01-04T12:30:00Z")
    assert held == truth


@pytest.mark.parametrize("said", ["{}", "[]", '{"rateLimits": [], "symbols": []}', "null", '{"rateLimits": [3]}'])
def test_an_exchange_info_that_is_none_is_told_in_a_line(exchange, monkeypatch, said):
    monkeypatch.setattr("lake.web.Web.json", lambda *_: json.loads(said))
    with pytest.raises(LakeError, match="exchangeInfo"):
        exchange.run()


def test_a_refusal_for_another_reason_is_not_taken_for_an_unknown_pair(exchange, monkeypatch):
    def refuse(*_):
        raise RefusedError("HTTP 403 from a firewall", 0)

    monkeypatch.setattr("lake.spot.Spot.first", refuse)
    with pytest.raises(LakeError, match="HTTP 403"):
        exchange.run()
    assert exchange.run("2025-01-01", "2025-01-02", source="archive").archived == 1440


def test_a_wait_before_the_answer_does_not_put_the_exchanges_clock_ahead(layout):
    """Else the candle still open would be over, and stored for ever as it was."""
    began = time.monotonic()

    def clock():
        return NOW + int((time.monotonic() - began) * 1e6)

    with Simulator(["SOLUSDT"], 5, start_us=START, rate=0.2, clock=clock) as sim:
        sim.fault("429", path="/api/v3/exchangeInfo", count=1, retry_after=2)
        info = backfill.ask(layout, Binance(rest_url=sim.rest_url), ["SOLUSDT"], "rest")
        assert clock() - 900_000 < info.now_us() <= clock()
        assert info.latency_s < 1
