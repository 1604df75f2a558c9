"""Faults of the REST port beyond refusals, on every group of paths, observed by a client."""

import concurrent.futures
import json
import socket

import pytest
import requests

from simulator import Simulator
from simulator.fault_kinds import ROWS
from tests.simulator.conftest import DAY, NOON, Clock, until

MINUTE = 60_000_000
HOUR = 60 * MINUTE
SPOT = "/api/v3/klines?symbol=SOLUSDT&interval=1m&limit=100"
FUNDING = "/fapi/v1/fundingRate?symbol=SOLUSDT"
ZIP = "/data/spot/daily/klines/SOLUSDT/1m/SOLUSDT-1m-2024-03-13.zip"


@pytest.fixture(scope="module")
def running():
    with Simulator(["SOLUSDT", "OPUSDT"], 7, rate=0.2, clock=Clock(NOON), weight_limit=10**9) as sim:
        yield sim


@pytest.fixture
def sim(running):
    yield running
    running.clear_faults()


def get(sim, path, **query):
    return requests.get(sim.rest_url + path, params=query, timeout=20)


def klines(sim, **query):
    answer = get(sim, "/api/v3/klines", **({"symbol": "SOLUSDT", "interval": "1m"} | query))
    assert answer.status_code == 200, answer.text
    return answer.json()


def received(sim, path):
    """The head and the bytes that come over a bare socket until the server closes."""
    with socket.create_connection(("127.0.0.1", sim.port("rest_port")), timeout=20) as bare:
        bare.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        data = b""
        while part := bare.recv(65536):
            data += part
    head, _, body = data.partition(b"\r\n\r\n")
    return head.decode().lower(), body


@pytest.mark.parametrize("path", [SPOT, FUNDING, ZIP])
def test_truncated_sends_half_of_what_it_promises_and_closes(sim, path):
    whole = get(sim, path).content
    sim.fault("truncated", count=2)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(sim, path)
    head, body = received(sim, path)
    assert f"content-length: {len(whole)}\r" in head + "\r"
    assert body == whole[: len(whole) // 2]
    assert get(sim, path).content == whole


@pytest.mark.parametrize("path", [SPOT, FUNDING, ZIP])
def test_hang_answers_only_once_it_is_withdrawn(sim, path):
    ident = sim.fault("hang", count=1)["id"]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(get, sim, path)
        until(lambda: sim.faults.all()[0]["hits"] == 1)
        assert get(sim, path).status_code == 200
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        sim.clear_faults(ident)
        assert waiting.result(10).status_code == 200


def test_hang_is_over_for_a_client_that_leaves_and_does_not_keep_the_stand_in_from_stopping():
    with Simulator(["SOLUSDT"], 7, rate=0.2, clock=Clock(NOON)) as sim:
        sim.fault("hang", path="/fapi")
        with pytest.raises(requests.ReadTimeout):
            requests.get(sim.rest_url + FUNDING, timeout=0.2)
        assert get(sim, SPOT).status_code == 200
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(get, sim, FUNDING)
            until(lambda: sim.faults.all()[0]["hits"] == 2)
            sim.stop()
            failure = waiting.exception(10)
        assert isinstance(failure, requests.ConnectionError) or waiting.result().status_code == 500


@pytest.mark.parametrize("path", [SPOT, FUNDING, ZIP])
def test_451_is_a_restricted_place(sim, path):
    sim.fault("451", count=1)
    answer = get(sim, path)
    assert (answer.status_code, answer.json()["code"]) == (451, 0)
    assert answer.json()["msg"].startswith("Service unavailable from a restricted location")
    assert get(sim, path).status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("418", 418), ("500", 500), ("451", 451)])
@pytest.mark.parametrize("path", [FUNDING, ZIP, f"{ZIP}.CHECKSUM"])
def test_refusals_work_on_futures_and_archive_by_path_and_symbol(sim, kind, status, path):
    sim.fault(kind, symbols=["OPUSDT"])
    sim.fault(kind, path="/api")
    assert get(sim, path).status_code == 200
    sim.fault(kind, symbols=["SOLUSDT"], count=1)
    assert get(sim, path).status_code == status
    sim.fault(kind, path=path.partition("?")[0], count=1)
    assert get(sim, path).status_code == status
    assert get(sim, path).status_code == 200


def test_slow_delays_the_archive(sim):
    sim.fault("slow", ms=300, path="/data", count=1)
    assert get(sim, ZIP).elapsed.total_seconds() >= 0.3
    assert sim.faults.all()[0]["hits"] == 1


def test_missing_klines_leave_a_hole_that_paging_crosses(sim):
    low, high = NOON - 30 * MINUTE, NOON - 20 * MINUTE
    whole = klines(sim, limit=60)
    ident = sim.fault("missing_klines", symbols=["SOLUSDT"], from_us=low, to_us=high)["id"]
    hole = [row for row in whole if not low <= row[0] * 1000 < high]
    assert len(hole) == 50
    start = whole[0][0]
    assert klines(sim, startTime=start) == hole == klines(sim, limit=50)
    assert klines(sim, startTime=start, limit=35) == hole[:35]
    assert klines(sim, startTime=low // 1000, endTime=high // 1000 - 1) == []
    assert klines(sim, endTime=high // 1000, limit=3) == [row for row in hole if row[0] * 1000 <= high][-3:]
    assert len(klines(sim, interval="5m", startTime=start)) == 10
    assert klines(sim, symbol="OPUSDT", startTime=low // 1000, endTime=high // 1000 - 1) != []
    assert sim.klines("SOLUSDT", "1m", low, high - 1) != []
    sim.clear_faults(ident)
    assert klines(sim, limit=60) == whole


def test_missing_klines_keep_candles_that_reach_beyond_the_hole_and_count_only_answers_about_it(sim):
    low, high = NOON - 30 * MINUTE, NOON - 20 * MINUTE
    hour = klines(sim, interval="1h", startTime=(NOON - 5 * HOUR) // 1000)
    sim.fault("missing_klines", from_us=low, to_us=high)
    assert klines(sim, startTime=(NOON - 3 * HOUR) // 1000, endTime=(NOON - 2 * HOUR) // 1000) != []
    assert sim.faults.all()[0]["hits"] == 0
    assert klines(sim, interval="1h", startTime=(NOON - 5 * HOUR) // 1000) == hour
    assert sim.faults.all()[0]["hits"] == 1


def test_missing_klines_are_missing_from_the_archive_too(sim):
    day = 19_795 * DAY  # 2024-03-13
    low, high = day + 6 * HOUR, day + 7 * HOUR
    whole = get(sim, ZIP).content
    sim.fault("missing_klines", from_us=low, to_us=high, path="/api/v3")
    assert get(sim, ZIP).content == whole
    sim.fault("missing_klines", from_us=low, to_us=high, path="/data/spot/daily")
    assert get(sim, ZIP).content != whole
    sim.clear_faults()
    assert get(sim, ZIP).content == whole


def test_klines_off_the_grid_open_later_in_rest_and_archive_and_paging_loses_none(sim):
    low, high = NOON - 30 * MINUTE, NOON - 20 * MINUTE
    start = (NOON - HOUR) // 1000
    whole = klines(sim, startTime=start)
    sim.fault("off_grid", symbols=["SOLUSDT"], from_us=low, to_us=high, later_ms=14_789)
    late = [
        [row[0] + 14_789, *row[1:6], row[6] + 14_789, *row[7:]] if low <= row[0] * 1000 < high else row for row in whole
    ]
    assert klines(sim, startTime=start) == late
    assert klines(sim, startTime=low // 1000, limit=1)[0][0] == low // 1000 + 14_789
    assert klines(sim, startTime=low // 1000, endTime=low // 1000 + 14_788) == []
    assert klines(sim, startTime=low // 1000 + 14_789, endTime=low // 1000 + 14_789) == [
        row for row in late if row[0] == low // 1000 + 14_789
    ]
    assert klines(sim, startTime=start, limit=35) == late[:35]
    assert klines(sim, symbol="OPUSDT", startTime=low // 1000, limit=1)[0][0] == low // 1000
    sim.clear_faults()
    before = get(sim, ZIP).content
    sim.fault("off_grid", symbols=["SOLUSDT"])
    assert get(sim, ZIP).content != before
    sim.clear_faults()
    assert get(sim, ZIP).content == before


def test_rows_of_klines_are_odd_within_their_span(sim):
    low, high = NOON - 30 * MINUTE, NOON - 28 * MINUTE
    start, end = (NOON - HOUR) // 1000, NOON // 1000 - 1
    whole = klines(sim, startTime=start, endTime=end)
    meant = [row for row in whole if low <= row[0] * 1000 < high]
    counts = {"repeated": 64, "contradicting": 62, "unordered": 60}
    for shape in ROWS:
        sim.fault("odd_klines", from_us=low, to_us=high, shape=shape)
        found = klines(sim, startTime=start, endTime=end)
        sim.clear_faults()
        assert found != whole and [row for row in found if row[0] not in {one[0] for one in meant}] == [
            row for row in whole if row not in meant
        ]
        assert len(found) == counts.get(shape, 60)


def test_a_truth_of_the_control_port_is_not_touched(sim):
    sim.fault("truncated")
    sim.fault("451")
    sim.fault("missing_klines")
    query = {"symbol": "SOLUSDT", "from": NOON - HOUR}
    answer = requests.get(f"{sim.control_url}/truth/klines", params=query, timeout=10)
    assert len(json.loads(answer.text)) == 60
