"""Official klines from a stand-in, over real sockets: only what is missing, all of it, once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from lake import backfill, damage, kline_store
from lake.backfill import Job
from lake.windows import MINUTE_US, Window, iso, micros, moment
from simulator import Simulator
from tests.conftest import content
from tests.lake.backfill.exchange import KLINES, Exchange


@pytest.mark.parametrize("source", ["rest", "archive", "auto"])
def test_candles_are_the_exchanges_own_from_every_source(exchange, source):
    end = "2025-01-05" if source != "archive" else "2025-01-04"
    done = exchange.run("2024-12-30", end, source=source)
    assert exchange.held() == exchange.truth("2024-12-30", end)
    assert (done.added, done.left, done.absent) == (len(exchange.held()), 0, 0)
    assert done.archived == (done.added if source == "archive" else 0)


def test_a_second_run_asks_for_no_candle_and_changes_no_file(exchange):
    exchange.run()
    before, asked = content(exchange.layout.backfill), exchange.count(KLINES)
    assert exchange.run().added == 0
    assert asked() == 0
    assert content(exchange.layout.backfill) == before


def test_the_candle_that_is_still_open_is_not_stored(exchange):
    exchange.run("2025-01-04T12:00:00Z", "2025-01-05")
    assert len(exchange.held()) == 30
    assert exchange.held()[-1][0] // 1000 == micros(datetime(2025, 1, 4, 12, 29, tzinfo=UTC)) // 1_000_000


def test_windows_are_half_open_and_exact_at_the_edges_of_a_day(exchange):
    exchange.run("2025-01-02T23:58:00Z", "2025-01-03T00:02:00Z")
    times = [row[0] // 60_000 % 1440 for row in exchange.held()]
    assert times == [1438, 1439, 0, 1]
    exchange.run("2025-01-02T23:57:30Z", "2025-01-03T00:02:30Z")
    assert [row[0] // 60_000 % 1440 for row in exchange.held()] == [1438, 1439, 0, 1, 2]


def test_only_the_missing_candles_of_a_day_are_asked_for(exchange):
    exchange.run("2025-01-02T06:00:00Z", "2025-01-02T07:00:00Z")
    exchange.run("2025-01-02T08:00:00Z", "2025-01-02T09:00:00Z")
    assert exchange.run("2025-01-02T05:30:00Z", "2025-01-02T09:30:00Z").added == 120
    assert exchange.held() == exchange.truth("2025-01-02T05:30:00Z", "2025-01-02T09:30:00Z")


@pytest.mark.parametrize("interval", ["1s", "3m", "1h", "12h", "1d", "3d", "1w", "1M"])
def test_every_kind_of_interval_is_whole(exchange, interval):
    start = "2025-01-03" if interval == "1s" else "2024-12-20"
    for source in ("rest", "auto"):
        exchange.run(start, "2025-01-04", symbol="OPUSDT", interval=interval, source=source)
        assert exchange.held("OPUSDT", interval) == exchange.truth(start, "2025-01-04", "OPUSDT", interval)


def test_seconds_come_out_of_the_archive_where_that_takes_fewer_requests_and_flat_ones_are_there(exchange):
    asked = exchange.count(KLINES)
    done = exchange.run("2025-01-01", "2025-01-02", symbol="OPUSDT", interval="1s", source="auto")
    assert (done.added, done.archived) == (86_400, 86_400)
    assert asked() == 1  # the listing date
    assert sum(row[8] == 0 for row in exchange.held("OPUSDT", "1s")) > 40_000


def test_a_range_over_the_change_of_units_has_one_unit_and_one_close_time(exchange):
    exchange.run("2024-12-31", "2025-01-02", source="archive")
    assert exchange.held() == exchange.truth("2024-12-31", "2025-01-02")
    table = kline_store.read(exchange.layout, "SOLUSDT", "1m", date(2025, 1, 1))
    assert {time.microsecond for time in table["close_time"].to_pylist()} == {999_000}


def test_a_symbol_that_is_not_ascii_is_a_symbol(exchange):
    for source, day in (("rest", "2025-01-02"), ("archive", "2025-01-01")):
        exchange.run(day, "2025-01-03", symbol="币安人生USDT", source=source)
    assert exchange.held("币安人生USDT") == exchange.truth("2025-01-01", "2025-01-03", "币安人生USDT")


def test_two_hundred_days_of_three_pairs_twice_are_the_truth_once(layout):
    symbols = ["SOLUSDT", "SUIUSDT", "ADAUSDT"]
    with Simulator(symbols, 7, rate=0.02) as sim:
        exchange = Exchange(sim, layout)
        sim.pause()
        window = Window(moment(sim.exchange.start_us), moment(sim.exchange.horizon_us // MINUTE_US * MINUTE_US))
        asked = exchange.count(KLINES)
        for symbol in symbols:
            for _ in range(2):
                info = backfill.ask(layout, exchange.hosts, symbols, "rest")
                done = backfill.run(layout, exchange.hosts, Job(symbol, "1m", window, "rest"), info)
            assert done.added == 0
        assert asked() == 3 * (-(-(window.end - window.start) // timedelta(minutes=1000)) + 1)
        for symbol in symbols:
            assert exchange.held(symbol) == exchange.truth(iso(window.start), iso(window.end), symbol)


def test_a_day_file_that_is_torn_is_set_aside_and_fetched_again(exchange):
    exchange.run("2025-01-01", "2025-01-02")
    path = exchange.layout.kline_file("SOLUSDT", date(2025, 1, 1), "1m")
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    exchange.run("2025-01-01", "2025-01-02")
    assert path.read_bytes() == whole
    assert [one.name for one in damage.kept(exchange.layout)] == ["klines_1m.parquet.reason.txt"]
