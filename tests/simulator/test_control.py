"""The truth, as the control port tells it, is what a client was sent."""

import json

import requests

from tests.simulator.clients import listening, raw


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


def test_the_control_port_takes_no_order_from_a_page_of_another_site(sim):
    url, order = f"{sim.control_url}/faults", {"kind": "drop"}
    port = sim.control_url.rpartition(":")[2]
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": f"evil.example:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        for ask in (requests.post, requests.get, requests.delete):
            assert ask(url, json=order, headers=headers, timeout=5).status_code == 403, headers
        assert requests.post(f"{sim.control_url}/pause", headers=headers, timeout=5).status_code == 403
    assert requests.get(url, timeout=5).json() == []
    assert requests.post(url, json=order, headers={"Origin": sim.control_url}, timeout=5).status_code == 200
