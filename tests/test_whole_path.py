"""From a WebSocket frame to bars: recorded frames over a real socket, and the live stand-in at 19 symbols."""

import json
import random
import time

import pytest

from lake import read, transform
from lake.layout import Layout
from simulator import DEFAULT_SYMBOLS, Simulator
from tests import oracle
from tests.collector.test_recordings import check_bars_of_the_recording
from tests.conftest import Raw
from tests.live import Collector, lines, truth, wait

pytestmark = pytest.mark.slow(minutes=4)
LIVE_SECONDS = 120


def test_recorded_frames_replayed_over_a_socket_arrive_whole(layout, realdata):
    recording = realdata / "binance_ws" / "hftbacktest_spot_btcusdt_20230405.dat.gz"

    def arrived():
        return sum(1 for line in lines(layout, "BTCUSDT") if line["stream"] == "trade")

    with (
        Simulator(["BTCUSDT"], market=False, replay=recording, replay_speed=None, replay_all=True) as sim,
        Collector(layout, sim, "--symbols", "BTCUSDT") as collector,
    ):
        wait(lambda: arrived() == 3144)
        code, output = collector.stop()
    assert code == 0, output
    raw = lines(layout, "BTCUSDT")
    assert sum(line["stream"] == "bookTicker" for line in raw) == 8015
    transform.run(layout, "BTCUSDT")
    check_bars_of_the_recording(layout)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """Two minutes of 19 symbols, transformed every few seconds meanwhile, as the schedule does: lake and truth."""
    layout = Layout(tmp_path_factory.mktemp("live") / "lake")
    with Simulator(seed=11, rate=6) as sim, Collector(layout, sim, rotate=5) as collector:
        wait(lambda: transform.pending(layout))
        end = time.monotonic() + LIVE_SECONDS
        while time.monotonic() < end:
            for symbol in transform.pending(layout):
                transform.run(layout, symbol)
            wait(lambda: transform.pending(layout) or time.monotonic() >= end)
        sim.pause()
        last = {symbol: sim.trades(symbol)[-1].id for symbol in DEFAULT_SYMBOLS}
        code, output = collector.stop()
        assert code == 0, output
        for symbol in transform.pending(layout):
            transform.run(layout, symbol)
        found = {}
        for symbol in DEFAULT_SYMBOLS:
            raw = lines(layout, symbol)
            ids = [line["trade_id"] for line in raw if line["stream"] == "trade"]
            assert max(ids, default=last[symbol]) == last[symbol], "the newest trade has not arrived"
            trades = truth(sim, symbol, min(ids), max(ids)) if ids else []
            found[symbol] = trades + [line for line in raw if line["stream"] == "bookTicker"]
    return layout, found


def bars(layout, symbol):
    days = [*layout.compacted_days(symbol), *layout.hour_days(symbol)]
    found = {}
    for day in days:
        found |= oracle.rows(read.day(layout, symbol, day))
    return found


@pytest.mark.parametrize("symbol", DEFAULT_SYMBOLS)
def test_every_bar_of_two_live_minutes_equals_the_truth(live, symbol):
    layout, truth_of = live
    expected = oracle.bars(truth_of[symbol])
    assert bars(layout, symbol) == expected
    assert expected


def test_shuffled_doubled_and_cut_anew_the_raw_lines_give_the_same_bars(live, tmp_path):
    layout, truth_of = live
    chance = random.Random(5)
    other = Layout(tmp_path / "other")
    for symbol in DEFAULT_SYMBOLS:
        raw = lines(layout, symbol)
        raw += chance.sample(raw, len(raw) // 3)
        chance.shuffle(raw)
        while raw:
            size = chance.randint(1, max(1, len(raw) // 2))
            Raw(other, symbol).put(*raw[:size])
            raw = raw[size:]
        transform.run(other, symbol)
        assert bars(other, symbol) == oracle.bars(truth_of[symbol])


def test_a_live_raw_line_has_the_fields_of_the_contract(live):
    layout, _ = live
    part = next((layout.raw / "SOLUSDT").rglob("part_*.jsonl"))
    for text in part.read_text().splitlines():
        line = json.loads(text)
        assert list(line)[:9] == ["symbol", "ts_event", "ts_recv", "price", "qty", "side", "bid", "ask", "stream"]
