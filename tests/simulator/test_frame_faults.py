"""Faults of the frames, ordered over the control port and observed from outside."""

import json

import pytest

from tests.simulator.clients import get, ids, listening, order, raw, steps
from tests.simulator.conftest import until


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
