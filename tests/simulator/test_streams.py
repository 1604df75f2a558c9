"""The stream port, seen from a client's side of a real socket."""

import asyncio
import functools
import itertools
import json
import socket
import threading
import time
import urllib.parse

import pytest
from websockets.asyncio.client import connect as aconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync import client

from simulator import Limits, Simulator
from tests.simulator.conftest import NOON, Clock, until

connect = functools.partial(client.connect, max_queue=None)  # a full queue makes websockets wait 10 s on closing
FAST = {"rate": 150.0, "history_rate": 0.2, "quote_rate": 40.0}


@pytest.fixture(scope="module")
def sim():
    with Simulator(["SOLUSDT", "BTCUSDT", "币安USDT"], 7, limits=Limits(messages_per_second=50), **FAST) as running:
        yield running


def take(ws, count, wanted=lambda message: True):
    found = []
    while len(found) < count:
        message = json.loads(ws.recv(timeout=10))
        if wanted(message):
            found.append(message)
    return found


def test_trade_frames_have_the_exchanges_fields_and_are_the_truth(sim):
    with connect(f"{sim.ws_url}/ws/solusdt@trade") as ws:
        frames = take(ws, 40)
    assert all(list(f) == ["e", "E", "s", "t", "p", "q", "T", "m", "M"] for f in frames)
    truth = {t.id: t for t in sim.trades("SOLUSDT")}
    for f, after in zip(frames, [*frames[1:], None], strict=True):
        t = truth[f["t"]]
        assert (f["s"], f["p"], f["q"], f["T"], f["m"]) == (
            "SOLUSDT",
            t.price,
            t.qty,
            t.time_us // 1000,
            t.buyer_is_maker,
        )
        assert 0 <= f["E"] - f["T"] <= 2
        assert after is None or after["t"] == f["t"] + 1


def test_book_ticker_frames_have_six_fields_and_no_time(sim):
    with connect(f"{sim.ws_url}/ws/btcusdt@bookTicker") as ws:
        frames = take(ws, 20)
    truth = {q.update_id: q for q in sim.quotes("BTCUSDT")}
    for f in frames:
        q = truth[f["u"]]
        assert f == {"u": q.update_id, "s": "BTCUSDT", "b": q.bid, "B": q.bid_qty, "a": q.ask, "A": q.ask_qty}


def test_agg_trade_frames_span_their_trades(sim):
    with connect(f"{sim.ws_url}/ws/btcusdt@aggTrade?timeUnit=MICROSECOND") as ws:
        frames = take(ws, 30)
    assert all(list(f) == ["e", "E", "s", "a", "p", "q", "f", "l", "T", "m", "M"] for f in frames)
    assert all((b["a"], b["f"]) == (a["a"] + 1, a["l"] + 1) for a, b in itertools.pairwise(frames))
    assert all(f["T"] > 10**15 for f in frames)


def test_combined_streams_are_wrapped_and_unicode_symbols_work(sim):
    names = urllib.parse.quote("solusdt@trade/币安usdt@trade", safe="/@")
    with connect(f"{sim.ws_url}/stream?streams={names}") as ws:
        for stream in ("币安usdt@trade", "solusdt@trade"):
            assert take(ws, 1, lambda message, stream=stream: message["stream"] == stream)


def test_a_subscription_begins_and_ends_on_request_and_an_unknown_one_stays_silent(sim):
    with connect(f"{sim.ws_url}/ws") as ws:
        ws.send('{"method":"SUBSCRIBE","params":["nobody@trade"],"id":1}')
        assert take(ws, 1) == [{"result": None, "id": 1}]
        with pytest.raises(TimeoutError):
            ws.recv(timeout=0.1)
        ws.send('{"method":"SUBSCRIBE","params":["solusdt@trade"],"id":2}')
        assert take(ws, 2)[1]["e"] == "trade"
        ws.send('{"method":"SET_PROPERTY","params":["combined",true],"id":3}')
        take(ws, 1, lambda m: m.get("id") == 3)
        assert take(ws, 1)[0]["stream"] == "solusdt@trade"
        ws.send('{"method":"UNSUBSCRIBE","params":["solusdt@trade","nobody@trade"],"id":4}')
        take(ws, 1, lambda m: m.get("id") == 4)
        with pytest.raises(TimeoutError):
            ws.recv(timeout=0.1)


def test_unknown_paths_and_too_many_streams_are_refused(sim):
    with pytest.raises(InvalidStatus, match="404"):
        connect(f"{sim.ws_url}/nowhere")
    with connect(f"{sim.ws_url}/ws") as ws:
        ws.send(json.dumps({"method": "SUBSCRIBE", "params": [f"s{i}@trade" for i in range(1025)], "id": 1}))
        with pytest.raises(ConnectionClosed, match="1008"):
            ws.recv(timeout=5)


def test_a_sixth_message_within_a_second_cuts_the_connection():
    with Simulator(["SOLUSDT"], 7) as sim, connect(f"{sim.ws_url}/ws") as ws:
        for i in range(5):
            ws.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": i}))
        assert [m["id"] for m in take(ws, 5)] == list(range(5))
        ws.ping()
        with pytest.raises(ConnectionClosed, match="1008"):
            ws.recv(timeout=5)


def test_the_server_pings_and_cuts_a_client_that_does_not_answer():
    sim = Simulator(["SOLUSDT"], 7, limits=Limits(ping_seconds=0.05, pong_seconds=0.2))
    with sim, socket.create_connection(("127.0.0.1", sim.port("ws_port"))) as raw:
        raw.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        raw.settimeout(5)
        data = b""
        while chunk := raw.recv(4096):
            data += chunk
        _, _, frames = data.partition(b"\r\n\r\n")
        assert frames[0] == 0x89  # a ping
        assert until(lambda: [c for c in sim.connections() if c["closed"]])


def test_a_connection_ends_with_its_life():
    sim = Simulator(["SOLUSDT"], 7, limits=Limits(life_seconds=0.1))
    with sim, connect(f"{sim.ws_url}/ws") as ws, pytest.raises(ConnectionClosed, match="1001"):
        ws.recv(timeout=5)


def test_a_client_that_does_not_read_is_cut_and_others_go_on():
    limits = Limits(buffer_bytes=200_000)
    with Simulator(["BTCUSDT"], 7, rate=600, quote_rate=600, history_rate=0.2, limits=limits) as sim:
        path = "/stream?streams=btcusdt@trade/btcusdt@bookTicker"
        with socket.socket() as slow, connect(sim.ws_url + path) as good:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", sim.port("ws_port")))
            slow.sendall(
                f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n".encode()
                + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            cut = until(lambda: [c for c in sim.connections() if c["closed"]], 30)
            assert "too slow" in cut[0]["closed"]
            take(good, 50)


def test_clients_get_the_same_bytes(sim):
    async def both():
        async with (
            aconnect(f"{sim.ws_url}/ws/solusdt@trade", max_queue=None) as one,
            aconnect(f"{sim.ws_url}/ws/solusdt@trade", max_queue=None) as two,
        ):
            first = [await asyncio.wait_for(one.recv(), 5) for _ in range(60)]
            second = [await asyncio.wait_for(two.recv(), 5) for _ in range(30)]
        return first, second

    first, second = ({json.loads(text)["t"]: text for text in texts} for texts in asyncio.run(both()))
    assert len(first) == 60
    shared = first.keys() & second.keys()
    assert {t: first[t] for t in shared} == {t: second[t] for t in shared}


def test_a_stopped_clock_makes_nothing_and_a_jump_makes_what_is_due():
    clock = Clock(NOON)
    with Simulator(["SOLUSDT"], 7, rate=10, clock=clock) as sim, connect(f"{sim.ws_url}/ws/solusdt@trade") as ws:
        with pytest.raises(TimeoutError):
            ws.recv(timeout=0.1)
        clock.now += 20_000_000
        until(lambda: sim.exchange.horizon_us == clock.now)
        truth = sim.trades("SOLUSDT")
        assert len(truth) > 20
        assert [m["t"] for m in take(ws, len(truth))] == [t.id for t in truth]
        row = sim.sent()["streams"]["solusdt@trade"]
        assert row == {"first_id": truth[0].id, "last_id": truth[-1].id, "frames": len(truth)}


def test_pause_holds_the_truth_still_and_resume_goes_on(sim):
    sim.pause()
    try:
        made = sim.trades("SOLUSDT")
        assert not threading.Event().wait(0.05)
        assert sim.trades("SOLUSDT") == made
    finally:
        sim.resume()
    until(lambda: len(sim.trades("SOLUSDT")) > len(made))


def test_stopping_leaves_no_thread_and_frees_the_ports():
    sim = Simulator(["SOLUSDT"], 7)
    before = threading.active_count()
    with sim:
        ports = [sim.port(name) for name in ("ws_port", "rest_port", "control_port")]
        with connect(f"{sim.ws_url}/ws/solusdt@trade"):
            pass
    assert threading.active_count() <= before
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    began = time.monotonic()
    sim.stop()
    assert time.monotonic() - began < 1
