"""Every fault, ordered over the control port and observed from outside."""

import contextlib
import functools
import itertools
import json
from pathlib import Path

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync import client

from simulator import FaultError, Simulator
from simulator.fault_kinds import KINDS
from tests.simulator.conftest import until

connect = functools.partial(client.connect, max_queue=None)  # a full queue makes websockets wait 10 s on closing


@pytest.fixture(scope="module")
def running():
    with Simulator(["SOLUSDT", "BTCUSDT"], 7, rate=200, history_rate=0.2, quote_rate=50) as sim:
        yield sim


@pytest.fixture
def sim(running):
    yield running
    running.clear_faults()
    running.resume()


def order(sim, kind, **rest):
    answer = requests.post(f"{sim.control_url}/faults", json={"kind": kind, **rest}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def hits(sim, ident):
    return next(f["hits"] for f in requests.get(f"{sim.control_url}/faults", timeout=10).json() if f["id"] == ident)


@contextlib.contextmanager
def listening(sim, streams="solusdt@trade", combined=False):
    with connect(
        f"{sim.ws_url}/stream?streams={streams}" if combined else f"{sim.ws_url}/ws/{streams}", max_queue=None
    ) as ws:
        json.loads(ws.recv(timeout=10))
        yield ws


def raw(ws, count):
    return [ws.recv(timeout=10) for _ in range(count)]


def ids(ws, count):
    return [json.loads(text)["t"] for text in raw(ws, count)]


def steps(found):
    return [b - a for a, b in itertools.pairwise(found)]


def get(sim, path="time", **query):
    return requests.get(f"{sim.rest_url}/api/v3/{path}", params=query, timeout=10)


def test_drop_closes_without_a_close_frame_and_a_new_connection_works(sim):
    with listening(sim) as ws:
        assert order(sim, "drop")["hits"] == 1
        with pytest.raises(ConnectionClosed) as info:
            raw(ws, 100_000)
        assert info.value.rcvd is None
    with listening(sim):
        pass


def test_drop_can_be_about_one_stream_only(sim):
    with listening(sim) as kept, listening(sim, "btcusdt@trade") as dropped:
        order(sim, "drop", symbols=["BTCUSDT"])
        with pytest.raises(ConnectionClosed):
            raw(dropped, 100_000)
        raw(kept, 50)


@pytest.mark.parametrize("status", [503, 429])
def test_refuse_rejects_so_many_handshakes(sim, status):
    ident = order(sim, "refuse", count=2, status=status)["id"]
    for _ in range(2):
        with pytest.raises(InvalidStatus, match=str(status)):
            connect(f"{sim.ws_url}/ws")
    with connect(f"{sim.ws_url}/ws"):
        assert hits(sim, ident) == 2


def test_stall_keeps_the_socket_open_and_silent(sim):
    with listening(sim) as ws:
        order(sim, "stall", id="stalled")
        with pytest.raises(TimeoutError):
            while True:
                ws.recv(timeout=0.2)
        ws.ping().wait(5)
        sim.clear_faults("stalled")
        raw(ws, 5)


def test_cut24h_closes_with_a_close_frame(sim):
    with listening(sim) as ws:
        order(sim, "cut24h")
        with pytest.raises(ConnectionClosed) as info:
            raw(ws, 100_000)
        assert info.value.rcvd.code == 1001


def test_server_shutdown_is_announced_raw_and_combined(sim):
    with listening(sim) as one, listening(sim, combined=True) as many:
        order(sim, "serverShutdown")
        found = until(lambda: next((m for m in map(json.loads, raw(one, 20)) if m["e"] == "serverShutdown"), None))
        assert set(found) == {"e", "E"}
        wrapped = until(
            lambda: next((m for m in map(json.loads, raw(many, 20)) if m["stream"] == "!serverShutdown"), None)
        )
        assert wrapped["data"]["e"] == "serverShutdown"


def test_duplicate_sends_frames_twice(sim):
    with listening(sim) as ws:
        found = ids(ws, 1)
        order(sim, "duplicate", count=3)
        until(lambda: found.extend(ids(ws, 60)) or 0 in steps(found))
        assert steps(found).count(0) >= 1
        assert set(steps(found)) <= {0, 1}


def test_skip_leaves_a_hole_that_the_truth_and_rest_have(sim):
    with listening(sim) as ws:
        found = ids(ws, 1)
        order(sim, "skip", count=5, symbols=["SOLUSDT"], streams=["trade"])
        until(lambda: found.extend(ids(ws, 40)) or 6 in steps(found))
        last = found[steps(found).index(6)]
        rest = get(sim, "historicalTrades", symbol="SOLUSDT", fromId=last + 1, limit=5).json()
        truth = {t.id for t in sim.trades("SOLUSDT")}
    assert [row["id"] for row in rest] == list(range(last + 1, last + 6))
    assert truth.issuperset(range(last + 1, last + 6))


def test_reorder_reverses_and_loses_nothing(sim):
    with listening(sim) as ws:
        found = ids(ws, 1)
        order(sim, "reorder", count=2, window=3)
        until(lambda: found.extend(ids(ws, 80)) or -1 in steps(found))
    assert sorted(found) == list(range(min(found), max(found) + 1)) or len(set(found)) == len(found)


@pytest.mark.parametrize("shape", ["torn", "text", "binary", "nul"])
def test_malformed_sends_what_no_parser_reads(sim, shape):
    with listening(sim) as ws:
        order(sim, "malformed", shape=shape)

        def unreadable(text):
            try:
                json.loads(text)
            except ValueError:
                return True
            return False

        (bad,) = until(lambda: [text for text in raw(ws, 20) if unreadable(text)])
        assert isinstance(bad, bytes) == (shape == "binary")
        assert ("\0" in str(bad)) == (shape == "nul")
        raw(ws, 10)


def test_unknown_fields_are_added_and_the_rest_stays(sim):
    with listening(sim) as ws:
        order(sim, "unknown_fields")
        found = until(lambda: next((m for m in map(json.loads, raw(ws, 20)) if "zz" in m), None))
        assert {"e", "t", "p", "q", "T"} <= set(found)


def test_unknown_messages_come_between_the_frames(sim):
    with listening(sim) as ws:
        order(sim, "unknown_message", count=4)
        strange = until(
            lambda: [m for m in map(json.loads, raw(ws, 60)) if not isinstance(m, dict) or m.get("e") != "trade"]
        )
        assert strange[0]["e"] == "somethingNew"


def test_late_frames_come_after_their_time_all_of_them(sim):
    with listening(sim) as ws:
        found = ids(ws, 1)
        order(sim, "late", count=5, seconds=1.0, symbols=["SOLUSDT"], streams=["trade"])
        until(lambda: found.extend(ids(ws, 100)) or any(step < 0 for step in steps(found)))
        assert len(set(found)) == len(found)
        assert 6 in steps(found)


def test_clock_skew_moves_server_time_and_event_times(sim):
    with listening(sim) as ws:
        order(sim, "clock_skew", offset_ms=-3_600_000, fields=["time", "E"])
        found = until(lambda: next((m for m in map(json.loads, raw(ws, 20)) if m["E"] < m["T"]), None))
        assert 3_590_000 < found["T"] - found["E"] <= 3_600_000
        assert get(sim).json()["serverTime"] < sim.exchange.now_us() // 1000 - 3_500_000


def test_a_burst_puts_its_trades_into_one_millisecond(sim):
    with listening(sim) as ws:
        order(sim, "burst", n=735, symbols=["SOLUSDT"])
        frames = []

        def crowd():
            frames.extend(map(json.loads, raw(ws, 200)))
            return (
                max((sum(1 for f in frames if f["T"] == t) for t in {f["T"] for f in frames[-200:]}), default=0) >= 735
            )

        until(crowd)
        assert set(steps([f["t"] for f in frames])) == {1}


@pytest.mark.parametrize(("rest", "status"), [("error", 400), ("empty", 200)])
def test_a_delisted_symbol_is_broken_silent_and_gone_until_it_is_listed_again(sim, rest, status):
    with listening(sim) as ws:
        order(sim, "delisting", symbols=["SOLUSDT"], rest=rest, id=f"gone-{rest}")
        info = get(sim, "exchangeInfo").json()["symbols"]
        assert [pair["status"] for pair in info] == ["BREAK", "TRADING"]
        answer = get(sim, "klines", symbol="SOLUSDT", interval="1m")
        assert answer.status_code == status
        assert answer.json() == ([] if status == 200 else {"code": -1121, "msg": "Invalid symbol."})
        with pytest.raises(TimeoutError):
            while True:
                ws.recv(timeout=0.2)
        assert get(sim, "klines", symbol="BTCUSDT", interval="1m").status_code == 200
        sim.clear_faults(f"gone-{rest}")
        raw(ws, 5)
        assert get(sim, "klines", symbol="SOLUSDT", interval="1m").status_code == 200


@pytest.mark.parametrize("kind", ["429", "418", "500"])
def test_rest_statuses_come_so_often_on_their_path(sim, kind):
    order(sim, kind, count=1, path="/api/v3/time", **({} if kind == "500" else {"retry_after": 7}))
    assert get(sim, "ping").status_code == 200
    hit = get(sim)
    assert hit.status_code == int(kind)
    assert hit.headers.get("Retry-After") == (None if kind == "500" else "7")
    assert get(sim).status_code == 200


def test_slow_adds_to_every_rest_answer(sim):
    order(sim, "slow", ms=150)
    assert get(sim).elapsed.total_seconds() >= 0.15
    sim.clear_faults()
    assert get(sim).elapsed.total_seconds() < 0.15


def test_an_order_with_an_id_is_carried_out_once(sim):
    with listening(sim):
        first = order(sim, "drop", id="once")
    with listening(sim) as ws:
        assert order(sim, "drop", id="once") == first
        raw(ws, 20)


def test_a_fault_ends_with_its_duration(sim):
    ident = order(sim, "500", duration=0.05)["id"]
    until(lambda: get(sim).status_code == 200)
    (fault,) = [f for f in sim.faults.all() if f["id"] == ident]
    assert not fault["active"]


def test_faults_can_be_listed_and_withdrawn(sim):
    order(sim, "500", id="a")
    assert [f["id"] for f in requests.get(f"{sim.control_url}/faults", timeout=5).json() if f["active"]] == ["a"]
    assert requests.delete(f"{sim.control_url}/faults", timeout=5).json()["withdrawn"] >= 1
    assert requests.get(f"{sim.control_url}/faults", timeout=5).json() == []


@pytest.mark.parametrize(
    "nonsense",
    [
        {"kind": "earthquake"}, {"kind": "drop", "whom": 1}, {"kind": "skip", "count": 0},
        {"kind": "skip", "count": "two"},
        {"kind": "skip", "count": True}, {"kind": "stall", "duration": -1}, {"kind": "late", "seconds": "x"},
        {"kind": "burst", "n": 10**9}, {"kind": "malformed", "shape": "round"},
        {"kind": "skip", "symbols": "SOLUSDT"},
        {"kind": "skip", "symbols": ["NOPE"]}, {"kind": "500", "path": "time"}, {"kind": "drop", "id": ""}, [1],
        7, None,
        {"kind": "clock_skew", "fields": ["X"]}, {"kind": "drop", "connections": ["x"]},
        {"kind": "burst", "n": float("inf")},
    ],
)  # fmt: skip
def test_nonsense_is_refused_in_one_line(sim, nonsense):
    answer = requests.post(f"{sim.control_url}/faults", data=json.dumps(nonsense), timeout=5)
    assert answer.status_code == 400
    assert "expected" in answer.json()["error"] or "not listed" in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert sim.faults.all() == []


def test_a_body_that_is_no_json_is_refused(sim):
    assert requests.post(f"{sim.control_url}/faults", data="{", timeout=5).status_code == 400
    with pytest.raises(FaultError, match="expected one of"):
        sim.fault("no such")


def test_every_kind_of_fault_is_tested():
    paths = [*Path(__file__).parent.glob("test_*faults.py"), Path(__file__).with_name("test_yahoo.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert [kind for kind in KINDS if text.count(f'"{kind}"') < 1] == []


def test_the_truth_port_tells_trades_quotes_klines_and_what_was_sent(sim):
    with listening(sim) as ws:
        frames = [json.loads(text) for text in raw(ws, 50)]
        low, high = frames[0]["T"] * 1000, (frames[-1]["T"] + 1) * 1000
        answer = requests.get(
            f"{sim.control_url}/truth/trades", {"symbol": "SOLUSDT", "from": low, "to": high}, timeout=5
        ).json()
        told = {row["id"]: row for row in answer}
        assert all((told[f["t"]]["price"], told[f["t"]]["qty"]) == (f["p"], f["q"]) for f in frames)
        sent = requests.get(f"{sim.control_url}/truth/sent", timeout=5).json()
        me = next(c for c in requests.get(f"{sim.control_url}/connections", timeout=5).json() if not c["closed"])
        assert sent["connections"][str(me["id"])]["solusdt@trade"] >= 51
        assert sent["streams"]["solusdt@trade"]["last_id"] >= frames[-1]["t"]
    query = {"symbol": "SOLUSDT", "from": low - 60_000_000, "interval": "1m"}
    rows = requests.get(f"{sim.control_url}/truth/klines", query, timeout=5).json()
    assert len(rows[0]) == 12
    quotes = requests.get(
        f"{sim.control_url}/truth/quotes", {"symbol": "BTCUSDT", "from": low - 10**6}, timeout=5
    ).json()
    assert set(quotes[0]) == {"update_id", "time_us", "bid", "bid_qty", "ask", "ask_qty"}
    for bad in ({}, {"symbol": "NOPE"}, {"symbol": "SOLUSDT", "from": "x"}):
        assert requests.get(f"{sim.control_url}/truth/trades", bad, timeout=5).status_code == 400
