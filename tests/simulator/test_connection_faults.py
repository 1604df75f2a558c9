"""Faults of a connection, ordered over the control port and observed from outside."""

import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.simulator.clients import connect, hits, listening, order, raw
from tests.simulator.conftest import until


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
