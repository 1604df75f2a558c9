"""Orders of faults: so often, once, for so long, withdrawn, or refused as nonsense; and every kind is tested."""

import json
from pathlib import Path

import pytest
import requests

from simulator import FaultError
from simulator.fault_kinds import KINDS
from tests.simulator.clients import get, listening, order, raw
from tests.simulator.conftest import until


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
