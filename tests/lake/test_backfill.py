"""Official klines from a stand-in, over real sockets: only what is missing, all of it, once."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake import backfill, kline_store
from lake.backfill import Backfilled, Job
from lake.budget import Budget
from lake.errors import LakeError
from lake.sections import Binance
from lake.web import RefusedError
from lake.windows import DAY_US, MINUTE_US, Window, iso, micros, moment
from simulator import Listing, Simulator
from tests.conftest import content
from tests.live import wait

NOW = micros(datetime(2025, 1, 4, 12, 30, 30, tzinfo=UTC))
START = NOW // DAY_US * DAY_US - 20 * DAY_US
KLINES = "/api/v3/klines"


class Exchange:
    """A stand-in whose clock stands at 2025-01-04 12:30:30, with 20 days of history, and a lake beside it."""

    def __init__(self, sim, layout):
        self.sim, self.layout = sim, layout
        self.hosts = Binance(rest_url=sim.rest_url, archive_url=sim.archive_url)

    def run(self, start="2025-01-01", end="2025-01-05", symbol="SOLUSDT", interval="1m", source="rest") -> Backfilled:
        job = Job(symbol, interval, Window.parse(start, end), source)
        info = backfill.ask(self.layout, self.hosts, [symbol], source)
        return backfill.run(self.layout, self.hosts, job, info)

    def held(self, symbol="SOLUSDT", interval="1m"):
        """Every candle in the lake, as the exchange's arrays; read by a glob, as a user does."""
        name = "klines_month" if interval == "1M" else f"klines_{interval}"
        paths = (self.layout.backfill / symbol).glob(f"year=*/month=*/day=*/{name}*.parquet")
        tables = [pq.read_table(path, partitioning=None) for path in paths]
        rows = pa.concat_tables(tables).sort_by("open_time").to_pylist() if tables else []
        return [tuple(_plain(value) for value in row.values())[1:] for row in rows]

    def truth(self, start, end, symbol="SOLUSDT", interval="1m"):
        """The stand-in's own candles that open in a window and are over."""
        window = Window.parse(start, end)
        found = self.sim.klines(symbol, interval, window.start_us, window.end_us - 1)
        over = self.sim.exchange.horizon_us // 1000
        return [
            (row[0], *map(float, row[1:6]), row[6], float(row[7]), row[8], *map(float, row[9:11]))
            for row in found
            if row[6] < over
        ]

    def count(self, path):
        """Return a function that tells how many requests have been made to a path since now."""
        ident = self.sim.fault("slow", ms=0, path=path)["id"]
        return lambda: next(fault["hits"] for fault in self.sim.faults.all() if fault["id"] == ident)


def _plain(value):
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value


@pytest.fixture(scope="module")
def market():
    pairs = [
        "SOLUSDT", "OPUSDT", "币安人生USDT",
        Listing("NEWUSDT", 3.0, 3, 1, listed_us=micros(datetime(2025, 1, 2, 7, 13, tzinfo=UTC))),
    ]  # fmt: skip
    with Simulator(pairs, 5, start_us=START, rate=0.5, clock=lambda: NOW, weight_limit=1_000_000) as sim:
        yield sim


@pytest.fixture
def exchange(market, layout):
    yield Exchange(market, layout)
    market.clear_faults()


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


@pytest.mark.parametrize("source", ["rest", "archive", "auto"])
def test_before_a_listing_nothing_is_asked_for_again(exchange, source):
    done = exchange.run("2024-12-20", "2025-01-04", symbol="NEWUSDT", source=source)
    truth = exchange.truth("2024-12-20", "2025-01-04", "NEWUSDT")
    assert exchange.held("NEWUSDT") == truth
    assert (done.added, done.absent) == (len(truth), 0)
    asked = exchange.count(KLINES)
    assert exchange.run("2024-12-20", "2025-01-04", symbol="NEWUSDT", source=source).added == 0
    assert asked() == 0


def test_a_symbol_that_is_not_ascii_is_a_symbol(exchange):
    for source, day in (("rest", "2025-01-02"), ("archive", "2025-01-01")):
        exchange.run(day, "2025-01-03", symbol="币安人生USDT", source=source)
    assert exchange.held("币安人生USDT") == exchange.truth("2025-01-01", "2025-01-03", "币安人生USDT")


def test_candles_that_the_exchange_has_none_of_are_noted_once_and_told(exchange):
    start = micros(datetime(2025, 1, 2, 3, 0, tzinfo=UTC))
    exchange.sim.fault("missing_klines", from_us=start, to_us=start + 90 * MINUTE_US)
    for source in ("rest", "archive"):
        day = "2025-01-02" if source == "rest" else "2025-01-01"
        done = exchange.run(day, "2025-01-03", source=source)
    assert len(exchange.held()) == 2 * 1440 - 90
    assert done.absent == 0
    asked = exchange.count(KLINES)
    assert exchange.run("2025-01-01", "2025-01-03").added == 0
    assert asked() == 0


def test_a_young_hole_is_asked_for_again(exchange):
    start = micros(datetime(2025, 1, 4, 9, 0, tzinfo=UTC))
    exchange.sim.fault("missing_klines", from_us=start, to_us=start + 5 * MINUTE_US)
    assert (exchange.run("2025-01-04", "2025-01-05").left, len(exchange.held())) == (5, 745)
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-04", "2025-01-05").added == 5
    assert exchange.held() == exchange.truth("2025-01-04", "2025-01-05")


def test_an_empty_answer_without_a_later_candle_is_no_proof_that_there_is_none(exchange):
    exchange.run("2025-01-01", "2025-01-02")
    exchange.sim.fault("missing_klines")
    done = exchange.run("2025-01-02", "2025-01-03")
    assert (done.absent, done.left) == (0, 1440)
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-02", "2025-01-03").added == 1440


def _row(at, value):
    row = [1735689600000, "1", "2", "3", "4", "5", 1735689659999, "5", 6, "7", "8", "0"]
    row[at] = value
    return row


@pytest.mark.parametrize(
    "row",
    [
        {}, [], None, "abcdefghijkl", _row(0, 0)[:11], [*_row(0, 0), "0"], _row(0, 2**62), _row(0, 2**70),
        _row(0, None),
        _row(0, "1735689600000"), _row(1, "NaN"), _row(1, 1.5), _row(1, None), _row(1, ""), _row(6, 2**62), _row(6, 0),
        _row(6, 1735689600), _row(8, True),
    ],
)  # fmt: skip
def test_a_row_that_is_no_candle_is_refused_in_a_line_and_never_taken_for_no_candle(row):
    with pytest.raises(LakeError, match="klines"):
        kline_store.from_rows("SOLUSDT", [row])


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("corrupt_zip", {}),
        ("wrong_checksum", {}),
        ("missing_checksum", {}),
        *(("evil_zip", {"shape": shape}) for shape in (
            "two_members", "parent_path", "extra_column", "torn_row", "wrong_symbol_name")),
    ],
)  # fmt: skip
def test_a_zip_that_cannot_be_believed_is_quarantined_with_its_reason_and_rest_has_its_candles(exchange, kind, more):
    exchange.sim.fault(kind, count=None, duration=600, path="/data/", **more)
    done = exchange.run("2025-01-01", "2025-01-02", source="archive")
    assert (done.added, done.archived, done.quarantined) == (1440, 0, 1)
    assert exchange.held() == exchange.truth("2025-01-01", "2025-01-02")
    kept = exchange.layout.quarantine / "archive" / "SOLUSDT-1m-2025-01-01.zip"
    assert kept.stat().st_size > 0
    assert "SOLUSDT-1m-2025-01-01.zip: " in kept.with_name(f"{kept.name}.reason.txt").read_text(encoding="utf-8")
    assert list(exchange.layout.base.parent.rglob("x.csv")) == []


def test_what_a_partial_zip_lacks_is_cross_checked_by_rest(exchange):
    exchange.sim.fault("evil_zip", shape="partial", duration=600)
    done = exchange.run("2025-01-01", "2025-01-02", source="archive")
    assert (done.added, done.archived, done.absent) == (1440, 720, 0)
    assert exchange.held() == exchange.truth("2025-01-01", "2025-01-02")


def test_a_header_row_is_no_candle(exchange):
    exchange.sim.fault("evil_zip", shape="header", duration=600)
    assert exchange.run("2025-01-01", "2025-01-02", source="archive").archived == 1440
    assert exchange.held() == exchange.truth("2025-01-01", "2025-01-02")


def test_a_months_zip_serves_where_a_day_has_none(layout):
    monday = NOW + 2 * DAY_US
    with Simulator(["SOLUSDT"], 5, start_us=START, rate=0.2, clock=lambda: monday) as sim:
        exchange = Exchange(sim, layout)
        sim.fault("missing_zip", duration=600, path="/data/spot/daily")
        asked = exchange.count("/data/spot/monthly")
        done = exchange.run("2024-12-28", "2025-01-03", source="archive")
        held, truth = exchange.held(), exchange.truth("2024-12-28", "2025-01-01")
    assert held == truth
    assert (done.archived, done.left, asked()) == (4 * 1440, 2 * 1440, 2)


def test_a_months_zip_that_cannot_be_believed_is_fetched_once_for_all_of_its_days(layout):
    with Simulator(["SOLUSDT"], 5, start_us=START, rate=0.2, clock=lambda: NOW + 2 * DAY_US) as sim:
        exchange = Exchange(sim, layout)
        sim.fault("missing_zip", duration=600, path="/data/spot/daily")
        sim.fault("wrong_checksum", duration=600, path="/data/spot/monthly")
        asked = exchange.count("/data/spot/monthly")
        done = exchange.run("2024-12-27", "2025-01-01", source="archive")
        assert exchange.held() == exchange.truth("2024-12-27", "2025-01-01")
    assert (done.added, done.archived, asked()) == (5 * 1440, 0, 2)


def test_a_revision_upstream_is_noticed_on_a_later_run(exchange):
    exchange.run("2025-01-01", "2025-01-03", source="archive")
    before = exchange.held()
    assert exchange.run("2025-01-01", "2025-01-03", source="archive").revised == 0
    exchange.sim.fault("revised", rows=7, duration=600)
    done = exchange.run("2025-01-01", "2025-01-03", source="archive")
    assert (done.added, done.revised) == (0, 14)
    assert sum(a != b for a, b in zip(before, exchange.held(), strict=True)) == 14
    assert exchange.run("2025-01-01", "2025-01-03", source="archive").revised == 0


@pytest.mark.parametrize("treatment", ["error", "empty", "history"])
def test_the_history_of_a_delisted_pair_is_had_all_the_same(exchange, treatment):
    exchange.sim.fault("delisting", symbols=["SOLUSDT"], rest=treatment)
    exchange.run("2025-01-01", "2025-01-03", source="auto")
    exchange.sim.clear_faults()
    assert exchange.held() == exchange.truth("2025-01-01", "2025-01-03")


@pytest.mark.parametrize(("source", "words"), [("rest", "source=archive"), ("auto", "neither"), ("archive", "neither")])
def test_a_pair_that_nobody_knows_is_refused_in_a_line(exchange, source, words):
    with pytest.raises(LakeError, match=words):
        exchange.run(symbol="TYPOUSDT", source=source)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("429", {"count": 9, "retry_after": 1}), ("418", {"count": 3, "retry_after": 2}), ("500", {"count": 9}),
        ("truncated", {"count": 9}),
    ],
)  # fmt: skip
def test_storms_are_sat_out_and_nothing_is_lost_or_twice(exchange, kind, more):
    exchange.run("2024-12-29", "2024-12-30")
    exchange.sim.fault(kind, path=KLINES, **more)
    exchange.run("2024-12-29", "2025-01-05")
    assert exchange.held() == exchange.truth("2024-12-29", "2025-01-05")


def test_a_ban_of_hours_ends_the_run_at_once_and_holds_for_the_next_one(exchange):
    exchange.sim.fault("418", path=KLINES, count=1, retry_after=7200)
    with pytest.raises(LakeError, match="HTTP 418 for 7200 s"):
        exchange.run()
    asked = exchange.count(KLINES)
    with pytest.raises(LakeError, match=r"wait 7[12]"):
        exchange.run()
    assert asked() == 0


def test_an_exchange_that_never_answers_ends_the_run_in_a_line_and_the_next_one_goes_on(exchange, monkeypatch):
    monkeypatch.setattr("lake.web._TIMEOUT_S", (0.5, 0.3))
    exchange.run("2025-01-01", "2025-01-02")
    exchange.sim.fault("hang", path=KLINES, duration=3600)
    with pytest.raises(LakeError, match="no answer"):
        exchange.run("2025-01-01", "2025-01-03")
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-01", "2025-01-03").added == 1440
    assert exchange.held() == exchange.truth("2025-01-01", "2025-01-03")


def test_a_killed_run_goes_on_where_it_was(exchange):
    environment = {
        **os.environ, "LAKE_BASE_PATH": str(exchange.layout.base), "LAKE_BINANCE__REST_URL": exchange.sim.rest_url,
        "LAKE_BINANCE__ARCHIVE_URL": exchange.sim.archive_url,
    }  # fmt: skip
    command = [sys.executable, "-m", "flows", "backfill-binance", "--symbols", "SOLUSDT", "--source", "rest"]
    command += ["--start", "2024-12-16", "--end", "2025-01-04"]
    exchange.sim.fault("slow", ms=400, path=KLINES)
    files = lambda: list(exchange.layout.backfill.rglob("*.parquet"))  # noqa: E731
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        wait(lambda: len(files()) >= 3)
        process.send_signal(signal.SIGKILL)
    assert 3 <= len(files()) < 19
    kept = {path: path.stat().st_mtime_ns for path in files()}
    torn = exchange.layout.kline_file("SOLUSDT", date(2025, 1, 3), "1m").with_name(".klines_1m.parquet.1-abc.tmp")
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"half")
    exchange.sim.clear_faults()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert exchange.held() == exchange.truth("2024-12-16", "2025-01-04")
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert list(exchange.layout.backfill.rglob(".*")) == []


def test_the_limit_is_the_exchanges_own_and_is_waited_for_not_run_into(layout):
    """The exchange's minute has five seconds left: what does not fit into it waits for the next."""
    began = time.monotonic()
    now = NOW // MINUTE_US * MINUTE_US + 55_000_000
    clock = lambda: now + int((time.monotonic() - began) * 1e6)  # noqa: E731
    with Simulator(["SOLUSDT"], 5, start_us=START, rate=0.2, weight_limit=60, clock=clock) as sim:
        exchange = Exchange(sim, layout)
        exchange.run("2024-12-30", "2025-01-05", source="rest")  # 20 for the limit, 2 for the listing, 18 for candles
        assert time.monotonic() - began < 5
        exchange.run("2024-12-26", "2024-12-30", source="rest")  # 20 for the limit fill the minute
        assert time.monotonic() - began > 5
        held, truth = exchange.held(), exchange.truth("2024-12-26", "2025-01-04T12:30:00Z")
    assert held == truth


@pytest.mark.parametrize("said", ["{}", "[]", '{"rateLimits": [], "symbols": []}', "null", '{"rateLimits": [3]}'])
def test_an_exchange_info_that_is_none_is_told_in_a_line(exchange, monkeypatch, said):
    monkeypatch.setattr("lake.web.Web.json", lambda *_: json.loads(said))
    with pytest.raises(LakeError, match="exchangeInfo"):
        exchange.run()


def test_a_refusal_for_another_reason_is_not_taken_for_an_unknown_pair(exchange, monkeypatch):
    def refuse(*_):
        raise RefusedError("HTTP 403 from a firewall", 0)

    monkeypatch.setattr("lake.spot.Spot.first", refuse)
    with pytest.raises(LakeError, match="HTTP 403"):
        exchange.run()
    assert exchange.run("2025-01-01", "2025-01-02", source="archive").archived == 1440


def test_a_wait_before_the_answer_does_not_put_the_exchanges_clock_ahead(layout):
    """Else the candle still open would be over, and stored for ever as it was."""
    began = time.monotonic()
    clock = lambda: NOW + int((time.monotonic() - began) * 1e6)  # noqa: E731
    with Simulator(["SOLUSDT"], 5, start_us=START, rate=0.2, clock=clock) as sim:
        sim.fault("429", path="/api/v3/exchangeInfo", count=1, retry_after=2)
        info = backfill.ask(layout, Binance(rest_url=sim.rest_url), ["SOLUSDT"], "rest")
        assert clock() - 900_000 < info.now_us() <= clock()
        assert info.latency_s < 1


def test_an_interrupt_while_all_wait_for_the_exchanges_next_minute_ends_the_command(exchange, layout):
    exchange.run("2025-01-01", "2025-01-01T00:01:00Z")  # so that the listing date is known
    limits = Budget(layout.limits, f"{exchange.sim.rest_url} weight", 1200)
    exchange.sim.fault("418", path=KLINES, retry_after=200)
    environment = {
        **os.environ, "LAKE_BASE_PATH": str(layout.base), "LAKE_BINANCE__REST_URL": exchange.sim.rest_url,
    }  # fmt: skip
    command = [sys.executable, "-m", "flows", "backfill-binance", "--symbols", "SOLUSDT", "--source", "rest"]
    command += ["--start", "2024-12-16", "--end", "2025-01-04"]
    # Where the tests run in the background, SIGINT is ignored, and so it would be in the command.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    try:
        wait(lambda: not limits.free())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
        limits.close()
    assert (process.returncode, "crypto-lake: stopped" in said) == (130, True), said


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


def test_the_real_archive_is_read_through_the_stand_ins(realdata, layout):
    now = micros(datetime(2020, 1, 5, tzinfo=UTC))
    with Simulator(
        ["BTCUSDT"], 5, start_us=now - 5 * DAY_US, rate=0.1, clock=lambda: now,
        archive_folder=realdata / "binance_archive",
    ) as sim:  # fmt: skip
        exchange = Exchange(sim, layout)
        done = exchange.run("2020-01-01", "2020-01-04", symbol="BTCUSDT", source="archive")
    assert (done.added, done.archived, done.quarantined) == (3 * 1440, 3 * 1440, 0)
    assert exchange.held("BTCUSDT")[0] == (
        1577836800000, 7195.24, 7196.25, 7183.14, 7186.68, 51.642812, 1577836859999, 371233.51835535, 493, 19.59823,
        140888.41428273,
    )  # fmt: skip


def test_a_day_file_that_is_torn_is_named_with_the_remedy(exchange):
    exchange.run("2025-01-01", "2025-01-02")
    path = exchange.layout.kline_file("SOLUSDT", date(2025, 1, 1), "1m")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LakeError, match=r"day=01/klines_1m.parquet: cannot be read .* move it away"):
        exchange.run("2025-01-01", "2025-01-02")


def test_the_command_shows_the_cost_and_then_a_table(exchange, capfd):
    environment = {
        **os.environ, "LAKE_BASE_PATH": str(exchange.layout.base), "LAKE_BINANCE__REST_URL": exchange.sim.rest_url,
        "LAKE_BINANCE__ARCHIVE_URL": exchange.sim.archive_url, "LAKE_SYMBOLS": json.dumps(["SOLUSDT", "OPUSDT"]),
    }  # fmt: skip
    command = [sys.executable, "-m", "flows", "backfill-binance", "--start", "2025-01-01", "--end", "2025-01-03"]
    dry = subprocess.run([*command, "--dry-run"], env=environment, capture_output=True, text=True, timeout=60)
    assert dry.returncode == 0, dry.stderr
    assert dry.stdout.startswith("dry run: 5,760 candles of 1m in 2025-01-01T00:00:00Z/2025-01-03T00:00:00Z")
    assert not exchange.layout.backfill.exists()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "5,760 candles of 1m, 2 symbols\n")
    assert "SOLUSDT" in done.stderr
    assert "2,880" in done.stderr
