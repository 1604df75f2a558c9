"""Candles that are not there: before a listing, in holes, of pairs that are gone. Both sources must have been asked."""

import socket
import sqlite3
from datetime import UTC, date, datetime

import pytest

from lake import backfill
from lake.backfill import Job
from lake.errors import LakeError
from lake.history import History
from lake.sections import Binance
from lake.windows import DAY_US, MINUTE_US, Window, micros
from tests.lake.backfill.exchange import DAILY, KLINES, MONTHLY, ZIPS

REST = "/api/v3"


def at(day, hour=0, minute=0, month=1, year=2025):
    return micros(datetime(year, month, day, hour, minute, tzinfo=UTC))


@pytest.mark.parametrize("source", ["archive", "auto"])
def test_what_was_before_a_listing_is_absent_once_rest_and_archive_were_asked(later, source):
    done = later.run("2024-12-20", "2025-01-04", symbol="NEWUSDT", source=source)
    truth = later.truth("2024-12-20", "2025-01-04", "NEWUSDT")
    assert later.held("NEWUSDT") == truth
    in_december, on_its_day = 12 * 1440, 7 * 60 + 13  # January is not over: zips of its first day may come yet
    assert (done.added, done.absent, done.left) == (len(truth), in_december + on_its_day, 1440)
    klines, december = later.count(KLINES), later.count(f"{ZIPS}/daily/klines/NEWUSDT/1m/NEWUSDT-1m-2024")
    again = later.run("2024-12-20", "2025-01-04", symbol="NEWUSDT", source=source)
    assert (again.added, again.absent, again.left, klines(), december()) == (0, 0, 1440, 0, 0)


def test_rest_alone_is_not_asked_again_for_what_was_before_a_listing_and_absent_is_not_claimed(later):
    truth = later.truth("2024-12-20", "2025-01-04", "NEWUSDT")
    for _ in range(2):
        asked = later.count(KLINES)
        done = later.run("2024-12-20", "2025-01-04", symbol="NEWUSDT", source="rest")
        assert later.held("NEWUSDT") == truth
        assert (done.absent, done.left) == (0, 15 * 1440 - len(truth))
    assert asked() == 0


def test_a_year_before_a_listing_costs_the_archive_some_requests_a_month_and_only_once(later):
    asked = later.count(ZIPS)
    done = later.run("2024-01-01", "2025-01-01", symbol="NEWUSDT", source="auto")
    a_month, february = 1 + 6, 1 + 5  # its zip, and those of some days
    assert (done.absent, asked()) == (366 * 1440, 11 * a_month + february)
    asked = later.count(ZIPS)
    later.run("2024-01-01", "2025-01-01", symbol="NEWUSDT", source="auto")
    assert asked() == 0


@pytest.mark.parametrize("source", ["archive", "auto"])
@pytest.mark.parametrize("lost", [None, "daily", "monthly"])
def test_the_first_candle_of_rest_does_not_bound_the_archive(later, source, lost):
    """A name that was another pair's before: REST begins on 2025-01-05, the archive has what was traded under it."""
    later.sim.fault("missing_klines", path=REST, to_us=at(5))
    if lost:
        later.sim.fault("missing_zip", path=f"{ZIPS}/{lost}")
    done = later.run("2024-12-20", "2025-01-07", source=source)
    last = "2025-01-07" if lost != "daily" else "2025-01-01"
    held = [row for row in later.held() if row[0] < at(1) // 1000 or lost != "daily"]
    assert held == later.truth("2024-12-20", last)
    assert done.absent == 0


@pytest.mark.parametrize("source", ["archive", "auto"])
def test_a_week_of_another_pair_in_a_month_without_a_zip_is_found(later, source):
    later.sim.fault("missing_klines", path=REST, to_us=at(5))
    later.sim.fault("missing_zip", path=f"{ZIPS}/monthly")
    for day in (*range(15, 18), *range(25, 32)):  # it was traded from the 18th to the 24th
        later.sim.fault("missing_zip", path=f"{DAILY}-2024-12-{day}")
    done = later.run("2024-12-15", "2025-01-01", source=source)
    assert later.held() == later.truth("2024-12-18", "2024-12-25")
    assert (done.added, done.absent) == (7 * 1440, 10 * 1440)


def test_of_a_window_of_days_in_a_month_without_a_zip_each_day_is_looked_for(later):
    later.sim.fault("missing_klines", path=REST, to_us=at(5))
    later.sim.fault("missing_zip", path=f"{ZIPS}/monthly")
    for day in (17, 21):
        later.sim.fault("missing_zip", path=f"{DAILY}-2024-12-{day}")
    done = later.run("2024-12-17", "2024-12-22", source="auto")
    assert later.held() == later.truth("2024-12-18", "2024-12-21")
    assert (done.added, done.absent) == (3 * 1440, 2 * 1440)


def test_candles_that_rest_does_not_have_and_the_archive_has_are_not_absent(later):
    start = at(2, 3)
    later.sim.fault("missing_klines", path=REST, from_us=start, to_us=start + 90 * MINUTE_US)
    done = later.run("2025-01-02", "2025-01-03", source="auto")
    assert (done.added, done.archived, done.absent, done.left) == (1440, 90, 0, 0)
    assert later.held() == later.truth("2025-01-02", "2025-01-03")


def test_candles_that_rest_alone_was_asked_for_are_not_absent_and_the_archive_is_asked_later(later):
    start = at(2, 3)
    ident = later.sim.fault("missing_klines", path=REST, from_us=start, to_us=start + 90 * MINUTE_US)["id"]
    for _ in range(2):
        done = later.run("2025-01-02", "2025-01-03", source="rest")
        assert (done.absent, done.left) == (0, 90)
    later.sim.clear_faults(ident)  # nor is REST asked for them again: its answer was certain
    asked = later.count(KLINES)
    assert later.run("2025-01-02", "2025-01-03", source="auto").archived == 90
    assert (asked(), later.held()) == (0, later.truth("2025-01-02", "2025-01-03"))


def test_candles_that_neither_has_are_absent_once_and_never_asked_for_again(later):
    start = at(2, 3)
    later.sim.fault("missing_klines", from_us=start, to_us=start + 90 * MINUTE_US)
    done = later.run("2025-01-01", "2025-01-03", source="auto")
    assert (done.added, done.absent, done.left) == (2 * 1440 - 90, 90, 0)
    asked = later.count("/")
    assert later.run("2025-01-01", "2025-01-03", source="auto").absent == 0
    assert asked() == 1  # exchangeInfo


def test_an_archive_that_does_not_answer_proves_nothing_and_stops_nothing_but_itself(later):
    with socket.create_server(("127.0.0.1", 0)) as nobody:  # listens no more when the block ends
        port = nobody.getsockname()[1]
    later.hosts = Binance(rest_url=later.sim.rest_url, archive_url=f"http://127.0.0.1:{port}")
    start = at(2, 3)
    later.sim.fault("missing_klines", path=REST, from_us=start, to_us=start + 90 * MINUTE_US)
    done = later.run("2025-01-02", "2025-01-03", source="auto")
    assert (done.added, done.absent, done.left) == (1440 - 90, 0, 90)
    with pytest.raises(LakeError, match="no answer"):
        later.run("2025-01-02", "2025-01-03", source="archive")


@pytest.mark.parametrize("shape", ["negative_price", "high_below_low", "contradicting", "no_number", "backwards"])
def test_a_row_of_rest_that_is_not_a_candle_is_refused_and_the_archive_asked(later, shape):
    start = at(2, 3)
    later.sim.fault("odd_klines", from_us=start, to_us=start + 5 * MINUTE_US, shape=shape)
    done = later.run("2025-01-02", "2025-01-03", source="auto")
    assert later.held() == later.truth("2025-01-02", "2025-01-03")
    expected = {"contradicting": 10}.get(shape, 5)
    assert (done.archived, done.absent, done.left) == (5 if shape != "high_below_low" else done.archived, 0, 0)
    assert done.rows == (expected if shape != "high_below_low" else done.archived) > 0
    [kept] = (later.layout.quarantine / "rest").iterdir()
    assert (kept.name, len(kept.read_text().splitlines())) == ("SOLUSDT-1m.jsonl", done.rows)


def test_a_row_of_rest_that_is_not_a_candle_is_never_noted_as_absent(later):
    start = at(2, 3)
    later.sim.fault("odd_klines", from_us=start, to_us=start + 5 * MINUTE_US, shape="negative_price")
    later.sim.fault("missing_klines", path="/data", from_us=start, to_us=start + 5 * MINUTE_US)
    for source in ("rest", "auto", "auto"):
        done = later.run("2025-01-02", "2025-01-03", source=source)
        assert (done.absent, done.left) == (0, 5)
    later.sim.clear_faults()
    assert later.run("2025-01-02", "2025-01-03", source="auto").added == 5
    assert later.held() == later.truth("2025-01-02", "2025-01-03")


@pytest.mark.parametrize("shape", ["repeated", "unordered"])
def test_rows_of_rest_that_come_twice_or_out_of_order_are_had_once(exchange, shape):
    exchange.sim.fault("odd_klines", shape=shape)
    done = exchange.run("2025-01-02", "2025-01-04", source="rest")
    assert exchange.held() == exchange.truth("2025-01-02", "2025-01-04")
    assert (done.added, done.rows) == (2 * 1440, 0)


def test_an_answer_out_of_order_is_no_proof_that_a_candle_is_not_there(exchange):
    start = at(2, 3)
    exchange.sim.fault("missing_klines", from_us=start, to_us=start + 5 * MINUTE_US)
    exchange.sim.fault("odd_klines", shape="unordered")
    exchange.run("2025-01-02", "2025-01-03", source="rest")
    with History(exchange.layout, "SOLUSDT", "1m") as history:
        assert history.holes("rest") == []
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-02", "2025-01-03", source="rest").added == 5


def test_a_young_hole_is_asked_for_again(exchange):
    start = at(4, 9)
    exchange.sim.fault("missing_klines", from_us=start, to_us=start + 5 * MINUTE_US)
    assert (exchange.run("2025-01-04", "2025-01-05").left, len(exchange.held())) == (5, 745)
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-04", "2025-01-05").added == 5
    assert exchange.held() == exchange.truth("2025-01-04", "2025-01-05")


@pytest.mark.parametrize("source", ["rest", "auto"])
def test_an_empty_answer_without_a_later_candle_is_no_proof_that_there_is_none(exchange, source):
    exchange.run("2025-01-01", "2025-01-02")
    exchange.sim.fault("missing_klines")
    done = exchange.run("2025-01-02", "2025-01-03", source=source)
    assert (done.absent, done.left) == (0, 1440)
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-02", "2025-01-03", source=source).added == 1440


@pytest.mark.parametrize("treatment", ["error", "empty", "history"])
def test_the_history_of_a_delisted_pair_is_had_all_the_same(exchange, treatment):
    exchange.sim.fault("delisting", symbols=["SOLUSDT"], rest=treatment)
    exchange.run("2025-01-01", "2025-01-03", source="auto")
    exchange.sim.clear_faults()
    assert exchange.held() == exchange.truth("2025-01-01", "2025-01-03")


@pytest.mark.parametrize("source", ["archive", "auto"])
def test_what_a_delisted_pair_has_no_zip_of_is_not_available_and_asked_for_no_more(later, source):
    later.sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    later.sim.fault("missing_zip", path=f"{ZIPS}/monthly")
    for day in (28, 29, 30, 31):
        later.sim.fault("missing_zip", path=f"{DAILY}-2024-12-{day}")
    done = later.run("2024-12-26", "2025-01-01", source=source)
    assert (done.added, done.absent, done.unavailable, done.left) == (2 * 1440, 0, 4 * 1440, 0)
    days, months = later.count(f"{DAILY}-2024-12-28"), later.count(f"{MONTHLY}-2024-12")
    again = later.run("2024-12-26", "2025-01-01", source=source)
    assert (again.added, again.unavailable, again.left, days(), months()) == (0, 4 * 1440, 0, 0, 0)


@pytest.mark.parametrize("source", ["archive", "auto"])
def test_what_a_delisted_pair_has_no_zip_of_yet_is_asked_for_again(later, source):
    """January is not over: its zip may come, and a day's."""
    later.sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    later.sim.fault("missing_zip", path=f"{DAILY}-2025-01-10")
    done = later.run("2025-01-10", "2025-01-12", source=source)
    assert (done.added, done.unavailable, done.left) == (1440, 0, 1440)
    later.sim.clear_faults()
    assert later.run("2025-01-10", "2025-01-12", source=source).added == 1440


@pytest.mark.parametrize(("source", "words"), [("rest", "source=archive"), ("auto", "neither"), ("archive", "neither")])
def test_a_pair_that_nobody_knows_is_refused_in_a_line_each_time(later, source, words):
    for _ in range(2):
        with pytest.raises(LakeError, match=words):
            later.run("2024-12-20", "2025-01-05", symbol="TYPOUSDT", source=source)


def old_history(layout):
    """A file of version 1, in which candles off their grid were noted as missing at the exchange."""
    layout.history.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(layout.history) as db:
        db.executescript(f"""
            CREATE TABLE hole (symbol TEXT, interval TEXT, start_us INTEGER, end_us INTEGER,
                PRIMARY KEY (symbol, interval, start_us)) WITHOUT ROWID;
            CREATE TABLE listing (symbol TEXT, interval TEXT, first_us INTEGER, PRIMARY KEY (symbol, interval))
                WITHOUT ROWID;
            INSERT INTO hole VALUES ('SOLUSDT', '1m', {at(2)}, {at(2, 12)}), ('SOLUSDT', 'funding', 0, {at(2)});
            INSERT INTO listing VALUES ('SOLUSDT', '1m', {at(2, 6)});
            PRAGMA user_version = 1;
        """)


def test_what_an_earlier_version_noted_as_absent_is_asked_for_once_more(later):
    old_history(later.layout)
    later.sim.fault("off_grid", from_us=at(2, 1), to_us=at(2, 5))
    later.sim.fault("missing_klines", from_us=at(2, 6), to_us=at(2, 7))
    done = later.run("2025-01-02", "2025-01-03", source="auto")
    assert (done.added, done.off_grid, done.absent) == (1440 - 60, 240, 60)
    asked = later.count(KLINES)
    assert later.run("2025-01-02", "2025-01-03", source="auto").added == 0
    assert asked() == 0
    with History(later.layout, "SOLUSDT", "funding") as history:
        assert history.holes() == []


def test_notes_of_this_version_stay(layout):
    for _ in range(2):
        with History(layout, "SOLUSDT", "1m") as history:
            history.put_holes([(0, DAY_US)], "rest")
            history.put_holes([(DAY_US // 2, 2 * DAY_US)], "archive")
    with History(layout, "SOLUSDT", "1m") as history:
        assert history.absent() == [(DAY_US // 2, DAY_US)]
        history.put_first(3 * DAY_US)
        assert history.absent() == [(DAY_US // 2, 2 * DAY_US)]


def test_the_plan_of_a_dry_run_is_what_a_run_asks_for(later):
    """A young pair: the months before it are looked for in the archive, what is after comes by REST."""
    hosts, layout = later.hosts, later.layout
    job = Job("NEWUSDT", "1m", Window.parse("2024-06-01", "2025-01-04"))
    info = backfill.ask(layout, hosts, ["NEWUSDT"], "auto")
    plan = backfill.planned(layout, hosts, job, info, info.weight_limit)
    truth = len(later.truth("2025-01-02", "2025-01-04", "NEWUSDT"))
    days = (date(2025, 1, 2) - date(2024, 6, 1)).days
    assert (plan.candles, plan.perhaps) == (truth, days * 1440 + 7 * 60 + 13)
    assert not layout.backfill.exists()
    klines, zips = later.count(KLINES), later.count(ZIPS)
    backfill.run(layout, hosts, job, info)
    assert klines() == len(plan.rest)
    assert plan.requests - len(plan.rest) <= zips() <= plan.requests - len(plan.rest) + 3
