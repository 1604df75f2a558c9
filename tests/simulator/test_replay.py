"""Recorded frames come out of the stream port as they went into the file."""

import functools
import gzip
import json
import threading

import pytest
import requests
from websockets.sync import client

from simulator import Simulator
from simulator.replay import ReplayError, read_frames
from tests.simulator.conftest import REALDATA, until

connect = functools.partial(client.connect, max_queue=None)  # a full queue makes websockets wait 10 s on closing
HFT = REALDATA / "binance_ws" / "hftbacktest_spot_btcusdt_20230405.dat.gz"
CRYPTOFEED = REALDATA / "binance_ws" / "cryptofeed_BINANCE.ws.1.0"
recorded = pytest.mark.skipif(not HFT.exists(), reason="the real recordings are not beside this checkout")


def texts(path):
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [line.rstrip("\n").partition(" ")[2] for line in file]


def small(tmp_path, frames, gap_us=1000):
    path = tmp_path / "small.dat"
    path.write_text("".join(f"{1_700_000_000_000_000 + i * gap_us} {text}\n" for i, text in enumerate(frames)))
    return path


def made(stream, count):
    return [f'{{"stream":"{stream}","data":{{"e":"trade","t":{i}}}}}' for i in range(count)]


@recorded
def test_a_real_recording_arrives_whole_verbatim_and_in_order_and_the_connection_stays_open():
    streams = "btcusdt@trade/btcusdt@bookTicker/btcusdt@depth@100ms"
    sim = Simulator(["BTCUSDT"], replay=HFT, replay_speed=None)
    with sim, connect(f"{sim.ws_url}/stream?streams={streams}") as ws:
        got = [ws.recv(timeout=20) for _ in range(15_088)]
        assert got == texts(HFT)
        with pytest.raises(TimeoutError):
            ws.recv(timeout=0.1)
        ws.ping().wait(5)
        state = requests.get(f"{sim.control_url}/replay", timeout=5).json()
        assert (state["state"], state["frames"]) == ("ended", 15_088)


@recorded
def test_a_raw_client_gets_the_payloads_of_its_stream_only():
    with Simulator(["BTCUSDT"], replay=HFT, replay_speed=None) as sim, connect(f"{sim.ws_url}/ws/btcusdt@trade") as ws:
        got = [json.loads(ws.recv(timeout=20))["t"] for _ in range(3_144)]
    assert got == list(range(3_071_245_454, 3_071_248_598))


@recorded
def test_cryptofeed_recordings_are_read_too_and_all_frames_can_be_sent_unasked():
    with Simulator(["BTCUSDT"], replay=CRYPTOFEED, replay_speed=None, replay_all=True) as sim:
        with connect(f"{sim.ws_url}/stream") as ws:
            got = [ws.recv(timeout=20) for _ in range(265)]
        until(lambda: sim.replay.state == "ended")
    assert got == [text for text in texts(CRYPTOFEED) if text.startswith("{")]


def test_nothing_is_dropped_for_a_client_that_reads_late(tmp_path):
    path = small(tmp_path, [f'{{"stream":"a@trade","data":{{"t":{i},"x":"{"y" * 900}"}}}}' for i in range(30_000)])
    with Simulator(["SOLUSDT"], replay=path, replay_speed=None) as sim:
        with connect(f"{sim.ws_url}/stream?streams=a@trade", max_queue=4) as ws:
            until(lambda: sim.replay.frames > 500)
            assert sim.connections()[0]["buffered_bytes"] < 5_000_000
            assert sim.replay.state == "running"
            assert [json.loads(ws.recv(timeout=20))["data"]["t"] for _ in range(30_000)] == list(range(30_000))
        until(lambda: sim.replay.state == "ended")


def test_a_replay_waits_for_its_first_subscriber_and_keeps_the_pace(tmp_path):
    path = small(tmp_path, made("a@trade", 5), gap_us=200_000)
    with Simulator(["SOLUSDT"], replay=path, replay_speed=2.0) as sim, connect(f"{sim.ws_url}/ws") as ws:
        assert not threading.Event().wait(0.05)
        assert sim.replay.state == "waiting"
        ws.send('{"method":"SUBSCRIBE","params":["a@trade"],"id":1}')
        assert "result" in ws.recv(timeout=5)
        began = sim.exchange.now_us()
        assert [json.loads(ws.recv(timeout=5))["t"] for _ in range(5)] == list(range(5))
        assert sim.exchange.now_us() - began >= 380_000


def test_a_replay_is_not_the_market_unless_asked(tmp_path):
    path = small(tmp_path, made("solusdt@trade", 3))
    both = {"replay": path, "replay_speed": None, "rate": 200, "history_rate": 0.2}
    with Simulator(["SOLUSDT"], **both) as sim, connect(f"{sim.ws_url}/ws/solusdt@trade") as ws:
        assert [json.loads(ws.recv(timeout=5))["t"] for _ in range(3)] == [0, 1, 2]
        with pytest.raises(TimeoutError):
            ws.recv(timeout=0.2)
    with Simulator(["SOLUSDT"], market=True, **both) as sim, connect(f"{sim.ws_url}/ws/solusdt@trade") as ws:
        assert any(json.loads(ws.recv(timeout=5))["t"] > 10**6 for _ in range(50))


def test_lines_that_are_no_frames_are_told_with_file_and_line(tmp_path):
    path = tmp_path / "bad.dat"
    path.write_text('1760918400000000 {"a":1}\nnonsense\n')
    with pytest.raises(ReplayError, match=r"bad\.dat line 2"):
        list(read_frames(path))
    with Simulator(["SOLUSDT"], replay=path, replay_speed=None, replay_waits=False) as sim:
        until(lambda: sim.replay.state == "failed")
        assert "line 2" in requests.get(f"{sim.control_url}/replay", timeout=5).json()["error"]


def test_a_recording_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(ReplayError, match="no such file"):
        Simulator(["SOLUSDT"], replay=tmp_path / "none.dat").start()


@pytest.mark.parametrize("stamp", ["1760918400.25:", "1760918400250", "1760918400250000", "1760918400250000999"])
def test_a_recording_is_replayed_at_its_pace_in_whichever_unit_and_without_the_recorders_own_lines(tmp_path, stamp):
    path = tmp_path / "BINANCE.ws.1.0"
    path.write_text(
        'configuration: {"trades": ["SOL-USDT"]}\nwss://stream.binance.com:9443/ws <-> 1760918400.1\n'
        'https://api.binance.com/api/v3/depth -> 1760918400.1: {}\n' + f'{stamp} {{"stream":"a@trade","data":{{}}}}\n'
    )  # fmt: skip
    assert [(frame.time_us, frame.stream) for frame in read_frames(path)] == [(1_760_918_400_250_000, "a@trade")]
