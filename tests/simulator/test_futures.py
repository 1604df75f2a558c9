"""USD-M: fundings and open interest of the past, and nothing of the future."""

import itertools
from decimal import Decimal

import pytest
import requests

from simulator import Listing, Simulator
from simulator.contracts import FUNDING_US, GRID_US
from simulator.futures import PERIODS
from tests.simulator.conftest import DAY, NOON, Clock

NOW = NOON + 12_345_678
HOUR = 3_600_000_000
SPOT_ONLY = Listing("RIFUSDT", 0.1, 4, 1, perpetual=False)


@pytest.fixture(scope="module")
def sim():
    free = {"futures": 10**9, "funding": 10**9, "open_interest": 10**9}
    with Simulator(
        ["SOLUSDT", "BTCUSDT", SPOT_ONLY], 7, rate=0.05, clock=Clock(NOW), request_limits=free
    ) as running:  # fmt: skip
        yield running


def get(sim, path, **query):
    return requests.get(sim.futures_url + path, params=query, timeout=20)


def rows(sim, path, **query):
    answer = get(sim, path, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def fundings(sim, **query):
    return rows(sim, "/fapi/v1/fundingRate", **query)


def history(sim, symbol="SOLUSDT", period="5m", **query):
    return rows(sim, "/futures/data/openInterestHist", symbol=symbol, period=period, **query)


def test_ping_and_time(sim):
    assert rows(sim, "/fapi/v1/ping") == {}
    assert rows(sim, "/fapi/v1/time") == {"serverTime": NOW // 1000}


def test_funding_is_paid_every_eight_hours_of_the_whole_history_some_a_few_ms_late(sim):
    got = fundings(sim, symbol="SOLUSDT", startTime=0, limit=1000)
    assert len(got) == 200 * 3 + 2
    assert list(got[0]) == ["symbol", "fundingTime", "fundingRate", "markPrice"]
    late = [row["fundingTime"] % (FUNDING_US // 1000) for row in got]
    assert 0 in late and 0 < max(late) < 18
    assert got[0]["fundingTime"] // 1000 * 10**6 == sim.exchange.start_us
    steps = [b["fundingTime"] // 1000 - a["fundingTime"] // 1000 for a, b in itertools.pairwise(got)]
    assert set(steps) == {28_800}
    rates = [Decimal(row["fundingRate"]) for row in got]
    assert min(rates) < 0 < max(rates) <= Decimal("0.003")
    assert rates.count(Decimal("0.0001")) > 50


def test_the_mark_price_is_the_spot_markets_of_that_moment(sim):
    for row in fundings(sim, symbol="BTCUSDT", limit=20):
        opened = row["fundingTime"] // 60_000 * 60_000_000
        (bar,) = sim.klines("BTCUSDT", "1m", opened, opened)
        assert abs(Decimal(row["markPrice"]) / Decimal(bar[1]) - 1) < Decimal("0.002")


def test_fundings_start_and_end_are_inclusive_and_the_limit_takes_the_first(sim):
    every = fundings(sim, symbol="SOLUSDT", startTime=0, limit=1000)
    low, high = every[100]["fundingTime"], every[120]["fundingTime"]
    assert fundings(sim, symbol="SOLUSDT", startTime=low, endTime=high) == every[100:121]
    assert fundings(sim, symbol="SOLUSDT", startTime=low + 1, endTime=high - 1) == every[101:120]
    assert fundings(sim, symbol="SOLUSDT", startTime=low, limit=5) == every[100:105]
    assert fundings(sim, symbol="SOLUSDT", startTime=0) == every[:100]
    assert fundings(sim, symbol="SOLUSDT") == every[-100:]
    assert fundings(sim, symbol="SOLUSDT", endTime=high, limit=3) == every[118:121]


def test_fundings_of_all_contracts_come_in_order_of_time(sim):
    got = fundings(sim, startTime=(NOON - DAY) // 1000)
    assert {row["symbol"] for row in got} == {"SOLUSDT", "BTCUSDT"}
    assert [row["fundingTime"] for row in got] == sorted(row["fundingTime"] for row in got)
    assert len(got) == 6
    assert [row for row in got if row["symbol"] == "BTCUSDT"] == fundings(sim, symbol="BTCUSDT", limit=3)
    assert [row["symbol"] for row in rows(sim, "/fapi/v1/fundingInfo")] == ["SOLUSDT", "BTCUSDT"]


def test_open_interest_is_a_slow_walk_on_the_grid_worth_amount_times_mark(sim):
    got = history(sim, limit=500)
    assert len(got) == 500
    assert list(got[0]) == ["symbol", "sumOpenInterest", "sumOpenInterestValue", "timestamp"]
    assert got[-1]["timestamp"] * 1000 == NOON
    assert {b["timestamp"] - a["timestamp"] for a, b in itertools.pairwise(got)} == {300_000}
    amounts = [Decimal(row["sumOpenInterest"]) for row in got]
    assert all(0 < abs(b / a - 1) < Decimal("0.01") for a, b in itertools.pairwise(amounts))
    opened = got[-1]["timestamp"] * 1000
    price = Decimal(sim.klines("SOLUSDT", "1m", opened, opened)[0][1])
    assert abs(Decimal(got[-1]["sumOpenInterestValue"]) / amounts[-1] / price - 1) < Decimal("0.002")
    now = rows(sim, "/fapi/v1/openInterest", symbol="SOLUSDT")
    assert now == {"symbol": "SOLUSDT", "openInterest": got[-1]["sumOpenInterest"], "time": NOW // 1000}


@pytest.mark.parametrize("period", PERIODS)
def test_a_longer_period_is_a_part_of_the_five_minutes(sim, period):
    got = history(sim, period=period, limit=3)
    for row in got:
        same = history(sim, startTime=row["timestamp"], endTime=row["timestamp"])
        assert same == [row]
        assert row["timestamp"] * 1000 % PERIODS[period] == 0
    assert len(got) == 3


def test_open_interest_pages_by_start_and_end(sim):
    assert len(history(sim)) == 30
    low, high = NOON - 3 * HOUR, NOON - HOUR
    got = history(sim, startTime=low // 1000, endTime=high // 1000)
    assert [row["timestamp"] * 1000 for row in got] == list(range(low, high + 1, GRID_US))
    assert history(sim, startTime=low // 1000, limit=4) == got[:4]
    assert history(sim, endTime=high // 1000, limit=4) == got[-4:]
    assert len(history(sim, startTime=(NOW - 30 * DAY) // 1000, limit=5000)) == 500


def test_open_interest_older_than_thirty_days_is_refused_but_known_to_the_truth(sim):
    oldest = (NOW - 30 * DAY) // 1000
    assert history(sim, startTime=oldest)[0]["timestamp"] >= oldest
    answer = get(sim, "/futures/data/openInterestHist", symbol="SOLUSDT", period="5m", startTime=oldest - 1)
    assert (answer.status_code, answer.json()) == (400, {"code": -1130, "msg": "parameter 'startTime' is invalid."})
    assert history(sim, endTime=oldest - 10**9) == []
    truth = sim.open_interests("SOLUSDT", NOON - 100 * DAY, NOON - 99 * DAY)
    assert [row.time_us for row in truth] == list(range(NOON - 100 * DAY, NOON - 99 * DAY, GRID_US))


def test_the_truth_is_what_rest_says(sim):
    got = [(row["fundingTime"] * 1000, row["fundingRate"]) for row in fundings(sim, symbol="SOLUSDT", limit=10)]
    assert [(row.time_us, row.rate) for row in sim.fundings("SOLUSDT", got[0][0])] == got
    query = {"symbol": "SOLUSDT", "from": NOON - HOUR, "to": NOON}
    control = requests.get(f"{sim.control_url}/truth/open_interest", params=query, timeout=10).json()
    assert [(row["time_us"] // 1000, row["amount"], row["value"]) for row in control] == [
        (row["timestamp"], row["sumOpenInterest"], row["sumOpenInterestValue"])
        for row in history(sim, startTime=(NOON - HOUR) // 1000, endTime=NOON // 1000 - 1)
    ]
    paid = requests.get(f"{sim.control_url}/truth/funding", params={"symbol": "SOLUSDT"}, timeout=10).json()
    assert len(paid) == 602


def test_the_same_seed_makes_the_same_contracts_and_another_seed_others(sim):
    def told(seed):
        with Simulator(["SOLUSDT"], seed, rate=0.05, clock=Clock(NOW)) as other:
            return fundings(other, symbol="SOLUSDT"), history(other, limit=500)

    assert told(7) == (fundings(sim, symbol="SOLUSDT"), history(sim, limit=500))
    assert all(mine != yours for mine, yours in zip(told(7), told(8), strict=True))


def test_nothing_of_the_future_is_told():
    clock = Clock(NOON + 4 * HOUR - 1)
    with Simulator(["SOLUSDT"], 7, rate=0.05, clock=clock) as sim:
        later = clock.now // 1000 + 10**8
        assert fundings(sim, symbol="SOLUSDT", endTime=later, limit=1)[0]["fundingTime"] * 1000 < NOON
        assert history(sim, endTime=later)[-1]["timestamp"] * 1000 == NOON + 4 * HOUR - GRID_US
        assert fundings(sim, symbol="SOLUSDT", startTime=(NOON + 4 * HOUR) // 1000) == []
        assert history(sim, startTime=(NOON + 4 * HOUR) // 1000) == []


@pytest.mark.parametrize(
    ("path", "query", "code", "message"),
    [
        ("/fapi/v1/fundingRate", {"symbol": "RIFUSDT"}, -1121, "Invalid symbol."),
        ("/fapi/v1/fundingRate", {"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ("/fapi/v1/openInterest", {"symbol": "RIFUSDT"}, -1121, "Invalid symbol."),
        ("/fapi/v1/openInterest", {}, -1102, "'symbol'"),
        ("/futures/data/openInterestHist", {"symbol": "RIFUSDT", "period": "5m"}, -1121, "Invalid symbol."),
        ("/futures/data/openInterestHist", {"symbol": "SOLUSDT"}, -1102, "'period'"),
        ("/futures/data/openInterestHist", {"symbol": "SOLUSDT", "period": "8h"}, -1130, "'period'"),
        ("/fapi/v1/fundingRate", {"startTime": 5, "endTime": 4}, -1127, "Start time"),
    ],
)
def test_errors_are_the_exchanges(sim, path, query, code, message):
    answer = get(sim, path, **query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert message in answer.json()["msg"]


def test_a_pair_without_a_contract_has_no_truth_of_one(sim):
    with pytest.raises(KeyError, match="no perpetual contract"):
        sim.fundings("RIFUSDT")


def test_futures_have_a_weight_account_of_their_own(sim):
    spot = int(requests.get(f"{sim.rest_url}/api/v3/time", timeout=5).headers["X-MBX-USED-WEIGHT-1M"])
    before = int(get(sim, "/fapi/v1/time").headers["X-MBX-USED-WEIGHT-1M"])
    assert int(get(sim, "/fapi/v1/openInterest", symbol="SOLUSDT").headers["X-MBX-USED-WEIGHT-1M"]) == before + 1
    assert get(sim, "/fapi/v1/fundingRate").headers["X-MBX-USED-WEIGHT-1M"] == str(before + 1)
    after = requests.get(f"{sim.rest_url}/api/v3/time", timeout=5)
    assert int(after.headers["X-MBX-USED-WEIGHT-1M"]) == spot + 1


def test_funding_requests_are_counted_together_over_five_minutes():
    clock = Clock(NOON + 20_000_000)
    with Simulator(["SOLUSDT"], 7, rate=0.05, clock=clock, request_limits={"funding": 3}) as sim:
        paths = ["/fapi/v1/fundingRate", "/fapi/v1/fundingInfo", "/fapi/v1/fundingRate", "/fapi/v1/fundingInfo"]
        answers = [get(sim, path) for path in paths]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert (answers[-1].json()["code"], answers[-1].headers["Retry-After"]) == (-1003, "280")
        assert get(sim, "/fapi/v1/time").status_code == 200
        assert len(history(sim)) == 30
        clock.now += 61_000_000
        assert get(sim, "/fapi/v1/fundingRate").status_code == 429
        clock.now += 220_000_000
        assert get(sim, "/fapi/v1/fundingRate").status_code == 200


def test_open_interest_history_is_limited_by_requests_in_five_minutes():
    with Simulator(["SOLUSDT"], 7, rate=0.05, clock=Clock(NOW), request_limits={"open_interest": 2}) as sim:
        query = {"symbol": "SOLUSDT", "period": "5m"}
        statuses = [get(sim, "/futures/data/openInterestHist", **query).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert get(sim, "/fapi/v1/fundingRate").status_code == 200


def test_a_limit_of_no_account_is_refused_by_name():
    with pytest.raises(ValueError, match="no account options"):
        Simulator(["SOLUSDT"], request_limits={"options": 3})
