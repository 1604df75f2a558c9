"""A real collector process against the stand-in over real sockets: faults, signals, kills."""

import shutil
import signal

import pytest

from lake import transform
from simulator import Simulator
from tests.live import Collector, lines, truth, wait

SYMBOLS = ["SOLUSDT", "BTCUSDT"]
pytestmark = pytest.mark.slow


@pytest.fixture
def sim():
    with Simulator(SYMBOLS, seed=3, rate=40, quote_rate=20) as running:
        yield running


def held(layout, symbol="SOLUSDT"):
    return sorted({line["trade_id"] for line in lines(layout, symbol) if line["stream"] == "trade"})


def log(layout):
    return "".join(path.read_text() for path in layout.logs.glob("*.log"))


def closed(layout, count):
    return lambda: len(list(layout.raw.rglob("part_*.jsonl"))) >= count


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stopped_by_a_signal_it_writes_what_came_and_leaves_no_open_part(layout, sim, number):
    with Collector(layout, sim, "--symbols", ",".join(SYMBOLS)) as collector:
        wait(closed(layout, 4))
        sim.pause()
        last = {symbol: sim.trades(symbol)[-1].id for symbol in SYMBOLS}
        code, output = collector.stop(number)
    assert code == 0, output
    assert not list(layout.raw.rglob("*.open"))
    for symbol in SYMBOLS:
        ids = held(layout, symbol)
        assert ids == list(range(ids[0], last[symbol] + 1))
        expected = [
            (t["trade_id"], t["price"], t["qty"], t["side"], t["ts_event"]) for t in truth(sim, symbol, ids[0], ids[-1])
        ]
        found = {
            t["trade_id"]: (t["trade_id"], t["price"], t["qty"], t["side"], t["ts_event"])
            for t in lines(layout, symbol)
            if t["stream"] == "trade"
        }
        assert [found[number] for number in ids] == expected  # fmt: skip


def test_killed_it_loses_at_most_what_was_not_flushed_and_the_next_takes_its_parts_over(layout, sim):
    with Collector(layout, sim, rotate=3600, LAKE_SYMBOLS='["SOLUSDT"]') as collector:
        wait(lambda: collector.bytes() > 20_000)
        collector.process.kill()
        collector.process.wait()
        size = collector.bytes()
    assert [path.name for path in layout.raw.rglob("*part*")] == [".part_0001.jsonl.open"]
    with Collector(layout, sim, rotate=3600, LAKE_SYMBOLS='["SOLUSDT"]') as collector:
        wait(lambda: collector.bytes() > size + 5_000)
        code, output = collector.stop()
    assert code == 0
    assert "taken over" in output
    names = sorted(path.name for path in layout.raw.rglob("*part*"))
    assert names == ["part_0001.jsonl", "part_0002.jsonl"]
    assert transform.run(layout, "SOLUSDT").quarantined <= 1


def test_a_dropped_connection_is_made_anew(layout, sim):
    with Collector(layout, sim, "--symbols", "SOLUSDT") as collector:
        wait(closed(layout, 1))
        sim.fault("refuse", count=2)
        sim.fault("drop")
        after = wait(lambda: sim.trades("SOLUSDT"))[-1].id + 100
        wait(lambda: held(layout) and held(layout)[-1] > after)
        code, output = collector.stop()
    assert code == 0
    assert "ended after" in output


def test_told_that_the_server_shuts_down_it_hands_over_without_a_hole(layout, sim):
    with Collector(layout, sim, "--symbols", "SOLUSDT") as collector:
        wait(closed(layout, 1))
        first = held(layout)[0]
        sim.fault("serverShutdown")
        wait(lambda: log(layout).count("connected to") == 2)
        after = wait(lambda: sim.trades("SOLUSDT"))[-1].id + 100
        wait(lambda: held(layout)[-1:] > [after])
        code, output = collector.stop()
    ids = held(layout)
    assert code == 0
    assert "opening its successor" in output
    assert ids == list(range(first, ids[-1] + 1))


def test_malformed_frames_are_quarantined_and_cost_nothing_but_themselves(layout, sim):
    with Collector(layout, sim, "--symbols", "SOLUSDT") as collector:
        wait(closed(layout, 1))
        sim.fault("malformed", count=7)
        kept = layout.quarantine / "frames"
        wait(lambda: sum(path.read_text().count("\n") for path in kept.rglob("part_*")) == 7)
        code, output = collector.stop()
    assert code == 0, output
    ids = held(layout)
    assert len(set(range(ids[0], ids[-1] + 1)) - set(ids)) <= 7


@pytest.mark.parametrize(
    ("kind", "order"),
    [("unknown_fields", {"duration": 2}), ("unknown_message", {"count": 9}), ("duplicate", {"count": 50}),
     ("reorder", {"count": 20, "window": 5}), ("late", {"count": 20, "seconds": 1}), ("clock_skew", {"duration": 2})],
)  # fmt: skip
def test_what_an_exchange_may_do_to_frames_loses_and_doubles_no_trade(layout, sim, kind, order):
    with Collector(layout, sim, "--symbols", "SOLUSDT") as collector:
        wait(closed(layout, 1))
        sim.fault(kind, **order)
        after = sim.trades("SOLUSDT")[-1].id + 200
        wait(lambda: held(layout)[-1:] > [after])
        sim.clear_faults()
        last = sim.trades("SOLUSDT")[-1].id
        wait(lambda: held(layout)[-1:] > [last])
        code, output = collector.stop()
    assert code == 0, output
    ids = held(layout)
    assert ids == list(range(ids[0], ids[-1] + 1))


def test_a_second_collector_of_the_same_lake_ends_at_once(layout, sim):
    with Collector(layout, sim) as collector:
        wait(closed(layout, 1))
        with Collector(layout, sim) as second:
            output, _ = second.process.communicate(timeout=30)
        assert "running for this lake already" in output
        assert collector.process.poll() is None


def test_a_duration_ends_it_by_itself(layout, sim):
    with Collector(layout, sim, "--duration", "2") as collector:
        output, _ = collector.process.communicate(timeout=30)
    assert collector.process.returncode == 0, output
    assert held(layout)


def test_one_symbol_that_cannot_be_written_keeps_no_other_from_it_and_is_told_at_the_end(layout, sim):
    layout.raw.mkdir(parents=True)
    (layout.raw / "SOLUSDT").write_text("in the way")
    with Collector(layout, sim, "--symbols", ",".join(SYMBOLS)) as collector:
        wait(lambda: len(held(layout, "BTCUSDT")) > 50)
        code, output = collector.stop()
    assert code == 1
    assert "lines that were received could not be written: free the disk" in output


def test_raw_taken_away_under_a_running_collector_is_begun_anew(layout, sim):
    with Collector(layout, sim, "--symbols", "BTCUSDT") as collector:
        wait(closed(layout, 1))
        shutil.rmtree(layout.raw)
        wait(closed(layout, 1))
        code, output = collector.stop()
    assert code == 0, output
    assert held(layout, "BTCUSDT")


def test_where_nobody_listens_it_says_so_and_stops_at_once_when_told(layout):
    class Nobody:
        ws_url = "ws://127.0.0.1:9"
        rest_url = "http://127.0.0.1:9"

    with Collector(layout, Nobody, "--symbols", "BTCUSDT", WEBSOCKETS_BACKOFF_MIN_DELAY="60") as collector:
        wait(lambda: "cannot connect" in log(layout))
        code, output = collector.stop()
    assert code == 0, output
