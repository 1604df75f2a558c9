"""Pairs that are listed in mid-history or during the session, and pairs whose name is no ASCII."""

import functools
import json
import urllib.parse

import pytest
import requests
from websockets.sync import client

from simulator import Listing, Simulator
from simulator.candles import INTERVALS
from tests.simulator.conftest import DAY, NOON, until

connect = functools.partial(client.connect, max_queue=None)  # a full queue makes websockets wait 10 s on closing
MINUTE = 60_000_000
LISTED = NOON - 20 * DAY - 3 * 3600 * 10**6 + 17 * MINUTE + 1  # 09:17:00.000001: its minute is 09:18
FIRST = LISTED - 1 + MINUTE
LATER = NOON + 10 * MINUTE
CHINESE = "币安人生USDT"


@pytest.fixture
def sim(clock):
    symbols = [
        "SOLUSDT",
        Listing("NEWUSDT", 3.0, 4, 1, listed_us=LISTED),
        Listing("SOONUSDT", 3.0, 4, 1, listed_us=LATER),
    ]
    with Simulator(symbols, 7, rate=1.0, history_rate=0.2, clock=clock) as running:
        yield running


def get(sim, path, **query):
    return requests.get(sim.rest_url + path, params=query, timeout=20)


def rows(sim, path, **query):
    answer = get(sim, path, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_pair_has_nothing_before_its_listing_and_the_others_have_all(sim):
    bars = rows(sim, "/api/v3/klines", symbol="NEWUSDT", interval="1m", startTime=0)
    assert 0 <= bars[0][0] * 1000 - FIRST < 10 * MINUTE
    assert rows(sim, "/api/v3/klines", symbol="NEWUSDT", interval="1m", startTime=0, endTime=FIRST // 1000 - 1) == []
    trades = rows(sim, "/api/v3/historicalTrades", symbol="NEWUSDT", fromId=0, limit=5)
    assert trades[0]["time"] * 1000 // MINUTE * MINUTE == bars[0][0] * 1000
    aggregates = rows(sim, "/api/v3/aggTrades", symbol="NEWUSDT", startTime=0, limit=5)
    assert (aggregates[0]["f"], aggregates[0]["T"]) == (trades[0]["id"], trades[0]["time"])
    paid = rows(sim, "/fapi/v1/fundingRate", symbol="NEWUSDT", startTime=0)
    assert paid[0]["fundingTime"] * 1000 // DAY == FIRST // DAY and paid[0]["fundingTime"] * 1000 >= FIRST
    grid = rows(sim, "/futures/data/openInterestHist", symbol="NEWUSDT", period="5m", startTime=(FIRST - DAY) // 1000)
    assert 0 <= grid[0]["timestamp"] * 1000 - FIRST < 5 * MINUTE
    assert rows(sim, "/api/v3/klines", symbol="SOLUSDT", interval="1d", startTime=0)[0][0] * 1000 < NOON - 199 * DAY


@pytest.mark.parametrize("interval", [name for name in INTERVALS if name not in ("1s", "1m")])
def test_longer_klines_of_a_pair_listed_within_a_day_are_its_minutes_put_together(sim, interval):
    minutes = sim.klines("NEWUSDT", "1m")
    found = sim.klines("NEWUSDT", interval, NOON - 60 * DAY)
    assert sum(row[8] for row in found) == sum(row[8] for row in minutes) > 1000
    assert (found[0][1], found[-1][4]) == (minutes[0][1], minutes[-1][4])


def test_a_pair_not_yet_listed_is_unknown_and_then_begins(sim, clock):
    assert get(sim, "/api/v3/klines", symbol="SOONUSDT", interval="1m").json()["code"] == -1121
    assert get(sim, "/fapi/v1/fundingRate", symbol="SOONUSDT").json()["code"] == -1121
    assert len(rows(sim, "/api/v3/exchangeInfo")["symbols"]) == 2
    with connect(f"{sim.ws_url}/ws/soonusdt@trade") as ws:
        clock.now = LATER + MINUTE
        first = json.loads(ws.recv(timeout=20))
        assert first["T"] * 1000 >= LATER
        until(lambda: sim.exchange.horizon_us == clock.now)
        assert rows(sim, "/api/v3/historicalTrades", symbol="SOONUSDT", fromId=0, limit=1)[0]["id"] == first["t"]
    assert rows(sim, "/api/v3/klines", symbol="SOONUSDT", interval="1m")[0][0] * 1000 == LATER
    assert len(rows(sim, "/api/v3/exchangeInfo")["symbols"]) == 3


def test_a_burst_for_a_pair_not_yet_listed_waits_for_its_first_minute(sim, clock):
    sim.fault("burst", symbols=["SOONUSDT"], n=50)
    clock.now = LATER + MINUTE
    until(lambda: sim.exchange.horizon_us == clock.now)
    trades = sim.trades("SOONUSDT")
    assert [t.id for t in trades] == list(range(trades[0].id, trades[0].id + len(trades)))
    assert sum(t.time_us < LATER + 1000 for t in trades) >= 50


def test_a_name_that_is_no_ascii_works_over_rest_and_streams(clock):
    with Simulator([CHINESE], 7, rate=50, history_rate=0.2, clock=clock) as sim:
        bars = rows(sim, "/api/v3/klines", symbol=CHINESE, interval="1m", limit=2)
        assert bars == sim.klines(CHINESE, "1m", bars[0][0] * 1000)
        (paid,) = rows(sim, "/fapi/v1/fundingRate", symbol=CHINESE, limit=1)
        assert paid["symbol"] == CHINESE
        assert rows(sim, "/api/v3/exchangeInfo")["symbols"][0]["symbol"] == CHINESE
        name = f"{CHINESE.lower()}@trade"
        with connect(f"{sim.ws_url}/stream?streams={urllib.parse.quote(name)}") as ws:
            clock.now += MINUTE
            got = json.loads(ws.recv(timeout=20))
        assert (got["stream"], got["data"]["s"]) == (name, CHINESE)
        with connect(f"{sim.ws_url}/ws") as ws:
            ws.send(json.dumps({"method": "SUBSCRIBE", "params": [name], "id": 1}, ensure_ascii=False))
            assert json.loads(ws.recv(timeout=20)) == {"result": None, "id": 1}
            clock.now += MINUTE
            assert json.loads(ws.recv(timeout=20))["s"] == CHINESE
