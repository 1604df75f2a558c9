"""The REST port: limits, units, error bodies, the weight budget."""

import itertools
import socket

import pytest
import requests

from simulator import Simulator
from simulator.budget import Budget
from simulator.ports import bind
from tests.simulator.conftest import DAY, NOON, Clock

MINUTE = 60_000_000


@pytest.fixture(scope="module")
def sim():
    with Simulator(["SOLUSDT", "OPUSDT"], 7, rate=0.5, clock=Clock(NOON + 12_345_678), weight_limit=10**9) as running:
        yield running


def get(sim, path, headers=None, **query):
    return requests.get(f"{sim.rest_url}/api/v3/{path}", params=query, headers=headers, timeout=20)


def rows(sim, path, **query):
    answer = get(sim, path, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_ping_and_time(sim):
    assert rows(sim, "ping") == {}
    assert rows(sim, "time") == {"serverTime": (NOON + 12_345_678) // 1000}
    micro = get(sim, "time", {"X-MBX-TIME-UNIT": "MICROSECOND"}).json()
    assert micro == {"serverTime": NOON + 12_345_678}


def test_exchange_info_has_limits_status_and_filters(sim):
    info = rows(sim, "exchangeInfo", symbol="SOLUSDT")
    assert {r["rateLimitType"] for r in info["rateLimits"]} >= {"REQUEST_WEIGHT", "RAW_REQUESTS"}
    (pair,) = info["symbols"]
    assert (pair["symbol"], pair["status"], pair["baseAsset"]) == ("SOLUSDT", "TRADING", "SOL")
    assert {f["filterType"] for f in pair["filters"]} == {"PRICE_FILTER", "LOT_SIZE"}
    assert [p["symbol"] for p in rows(sim, "exchangeInfo", symbols='["OPUSDT"]')["symbols"]] == ["OPUSDT"]
    assert len(rows(sim, "exchangeInfo")["symbols"]) == 2


def test_klines_give_500_by_default_at_most_1000_and_the_open_one_last(sim):
    assert len(rows(sim, "klines", symbol="SOLUSDT", interval="1m")) == 500
    got = rows(sim, "klines", symbol="SOLUSDT", interval="1m", limit=5000)
    assert len(got) == 1000
    assert [b[0] - a[0] for a, b in itertools.pairwise(got)] == [60_000] * 999
    assert got[-1][0] == NOON // 1000
    assert got == sim.klines("SOLUSDT", "1m", got[0][0] * 1000)
    assert all(row[6] == row[0] + 59_999 and len(row) == 12 for row in got)


def test_klines_start_and_end_are_inclusive_open_times_in_ms_or_us(sim):
    low, high = NOON - 10 * MINUTE, NOON - 5 * MINUTE
    in_ms = rows(sim, "klines", symbol="SOLUSDT", interval="1m", startTime=low // 1000, endTime=high // 1000)
    assert [row[0] for row in in_ms] == [t // 1000 for t in range(low, high + 1, MINUTE)]
    assert rows(sim, "klines", symbol="SOLUSDT", interval="1m", startTime=low, endTime=high) == in_ms
    micro = get(
        sim, "klines", {"X-MBX-TIME-UNIT": "MICROSECOND"}, symbol="SOLUSDT", interval="1m", startTime=low, limit=1
    ).json()
    assert (micro[0][0], micro[0][6]) == (low, low + MINUTE - 1)
    latest = rows(sim, "klines", symbol="SOLUSDT", interval="1m", endTime=high // 1000, limit=3)
    assert [row[0] for row in latest] == [t // 1000 for t in (high - 2 * MINUTE, high - MINUTE, high)]


def test_days_in_another_time_zone_begin_at_its_midnight(sim):
    got = rows(sim, "klines", symbol="SOLUSDT", interval="1d", timeZone="-1:30", limit=3)
    assert all(row[0] * 1000 % DAY == 90 * MINUTE for row in got)
    hours = rows(sim, "klines", symbol="SOLUSDT", interval="30m", startTime=got[1][0], endTime=got[2][0] - 1, limit=100)
    assert sum(row[8] for row in hours) == got[1][8]


def test_agg_trades_by_id_by_time_and_latest(sim):
    latest = rows(sim, "aggTrades", symbol="SOLUSDT", limit=50)
    assert len(latest) == 50
    assert [row["a"] for row in latest] == list(range(latest[0]["a"], latest[0]["a"] + 50))
    assert rows(sim, "aggTrades", symbol="SOLUSDT", fromId=latest[10]["a"], limit=7) == latest[10:17]
    by_time = rows(sim, "aggTrades", symbol="SOLUSDT", startTime=latest[20]["T"], endTime=latest[30]["T"])
    assert by_time == [row for row in latest if latest[20]["T"] <= row["T"] <= latest[30]["T"]]
    assert list(latest[0]) == ["a", "p", "q", "f", "l", "T", "m", "M"]
    trades = sim.trades("SOLUSDT", NOON - DAY)
    assert latest[-1]["l"] == trades[-1].id
    assert rows(sim, "aggTrades", symbol="SOLUSDT", fromId=latest[-1]["a"] + 1) == []
    assert rows(sim, "aggTrades", symbol="SOLUSDT", startTime=(NOON + DAY) // 1000) == []


def test_paging_by_id_gives_every_trade_once(sim):
    truth = sim.trades("SOLUSDT", NOON - 3600 * 10**6)
    page, got = truth[0].id, []
    while part := rows(sim, "historicalTrades", symbol="SOLUSDT", fromId=page, limit=400):
        got += part
        page = part[-1]["id"] + 1
    expected = [(t.id, t.price, t.qty, t.quote_qty, t.time_us // 1000, t.buyer_is_maker, True) for t in truth]
    assert [tuple(row.values()) for row in got] == expected
    assert rows(sim, "trades", symbol="SOLUSDT", limit=10) == got[-10:]
    assert len(rows(sim, "trades", symbol="SOLUSDT")) == 500


@pytest.mark.parametrize(
    ("path", "query", "code", "message"),
    [
        ("klines", {"interval": "1m"}, -1102, "Mandatory parameter 'symbol' was not sent"),
        ("klines", {"symbol": "SOLUSDT"}, -1102, "Mandatory parameter 'interval'"),
        ("klines", {"symbol": "NOPE", "interval": "1m"}, -1121, "Invalid symbol."),
        ("klines", {"symbol": "SOLUSDT", "interval": "7m"}, -1120, "Invalid interval."),
        ("klines", {"symbol": "solusdt", "interval": "1m"}, -1100, "Illegal characters found in parameter 'symbol'"),
        ("klines", {"symbol": "SOLUSDT", "interval": "1m", "limit": "x"}, -1100, "parameter 'limit'"),
        ("klines", {"symbol": "SOLUSDT", "interval": "1m", "startTime": "-5"}, -1100, "parameter 'startTime'"),
        ("klines", {"symbol": "SOLUSDT", "interval": "1m", "timeZone": "99"}, -1130, "timeZone"),
        ("klines", {"symbol": "SOLUSDT", "interval": "1m", "what": "1"}, -1104, "Not all sent parameters were read"),
        ("aggTrades", {"symbol": "SOLUSDT", "fromId": "1", "startTime": "5"}, -1128, "Combination"),
        ("trades", {"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ("historicalTrades", {"symbol": "SOLUSDT", "fromId": ""}, -1105, "fromId"),
        ("exchangeInfo", {"symbol": "NOPE"}, -1121, "Invalid symbol."),
    ],
)
def test_errors_are_the_exchanges(sim, path, query, code, message):
    answer = get(sim, path, **query)
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert message in answer.json()["msg"]
    assert "X-MBX-USED-WEIGHT-1M" in answer.headers


@pytest.mark.parametrize(
    ("path", "weight"),
    [("ping", 1), ("exchangeInfo", 20), ("klines", 2), ("aggTrades", 4), ("trades", 25), ("historicalTrades", 25)],
)
def test_weights_are_counted(sim, path, weight):
    before = int(get(sim, "time").headers["X-MBX-USED-WEIGHT-1M"])
    query = (
        {}
        if path in ("ping", "exchangeInfo")
        else {"symbol": "SOLUSDT"} | ({"interval": "1d", "limit": 1} if path == "klines" else {})
    )
    assert int(get(sim, path, **query).headers["X-MBX-USED-WEIGHT-1M"]) == before + weight


def test_past_the_budget_comes_429_then_418_with_seconds_to_wait_and_a_new_minute_forgives():
    clock = Clock(NOON + 20_000_000)
    with Simulator(["SOLUSDT"], 7, clock=clock, weight_limit=40) as sim:
        assert get(sim, "exchangeInfo").status_code == get(sim, "exchangeInfo").status_code == 200
        over = get(sim, "ping")
        assert (over.status_code, over.json()["code"], over.headers["Retry-After"]) == (429, -1003, "40")
        clock.now += 40_000_000
        assert get(sim, "ping").status_code == 200
        statuses = [get(sim, "exchangeInfo").status_code for _ in range(14)]
        assert statuses[0] == 200
        assert statuses[-1] == 418
        banned = get(sim, "ping")
        assert (banned.status_code, banned.headers["Retry-After"]) == (418, "120")


def test_the_budget_is_by_address():
    budget = Budget(10)
    assert budget.charge("a", 11, 0.0).status == 429
    assert budget.charge("b", 10, 0.0).status == 200


def test_the_listening_socket_names_its_protocol_so_that_small_answers_are_not_held_back():
    with bind("rest_port", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_path_that_is_no_more_is_not_found(sim):
    assert requests.get(f"{sim.rest_url}/api/v1/klines", timeout=5).status_code == 404
