"""Candles out of the archive's zips: believed, imperfect, lacking, of a month, refused, revised."""

import json
from datetime import UTC, date, datetime

import pytest

from lake import kline_store
from lake.windows import DAY_US, Window, micros
from simulator import Simulator
from simulator.fault_kinds import ROWS
from tests.lake.backfill.exchange import DAILY, LATER, MONTHLY, NOW, START, Exchange

DAY = "2024-12-20", "2024-12-21"
ZIP = "SOLUSDT-1m-2024-12-20.zip"
FORMS = ["header", "bom", "crlf", "spaces", "quotes", "scientific", "float_times"]
IMPERFECT = ["repeated", "unordered", "other_unit", "mixed_units", "next_day"]
ODD = [shape for shape in ROWS if shape not in IMPERFECT]
NOT_BELIEVED = ["two_members", "parent_path", "extra_column", "wrong_symbol_name", "no_unit", "empty"]
BROKEN = [
    ("corrupt_zip", {}), ("wrong_checksum", {}), *(("evil_zip", {"shape": shape}) for shape in NOT_BELIEVED)
]  # fmt: skip


@pytest.fixture
def gone(later):
    """An exchange that has delisted the pair: there is nobody but the archive to ask."""
    later.sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    return later


def truth(exchange, day=DAY):
    exchange.sim.clear_faults()
    return exchange.truth(*day)


def kept(exchange, name=ZIP):
    """The rows of a zip that are in the quarantine, and why."""
    path = exchange.layout.quarantine / "archive" / f"{name}.rows.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


@pytest.mark.parametrize("shape", FORMS)
def test_a_zip_in_another_form_is_read_as_it_is(gone, shape):
    gone.sim.fault("evil_zip", shape=shape)
    done = gone.run(*DAY, source="archive")
    assert (done.added, done.archived, done.quarantined, done.imperfect, done.rows) == (1440, 1440, 0, 0, 0)
    assert gone.held() == truth(gone)


@pytest.mark.parametrize("shape", IMPERFECT)
def test_an_imperfect_zip_is_read_and_what_is_wrong_with_it_counted(gone, shape):
    gone.sim.fault("evil_zip", shape=shape)
    done = gone.run(*DAY, source="archive")
    rows = int(shape == "next_day")
    assert (done.added, done.archived, done.quarantined, done.imperfect, done.rows) == (1440, 1440, 0, 1, rows)
    assert [(one["offset"], one["reason"]) for one in kept(gone)] == [
        (1440, "it is not of this file's day or month")
    ] * rows
    assert gone.held() == truth(gone)


@pytest.mark.parametrize("shape", ODD)
def test_rows_of_a_zip_that_are_not_candles_are_refused_one_by_one_and_come_from_its_month(gone, shape):
    gone.sim.fault("evil_zip", shape=shape, freq="daily")
    done = gone.run(*DAY, source="archive")
    assert (done.added, done.archived, done.left, done.quarantined, done.imperfect) == (1440, 1440, 0, 0, 1)
    assert done.rows == len(kept(gone)) > 100
    assert len({one["reason"] for one in kept(gone)}) == 1
    assert gone.held() == truth(gone)
    assert kline_store.survey(gone.layout, "SOLUSDT", "1m", _window(), LATER)[date(2024, 12, 20)].source is None


@pytest.mark.parametrize("shape", ["negative_price", "contradicting"])
def test_rows_that_are_not_candles_anywhere_are_missing_and_never_absent(gone, shape):
    gone.sim.fault("evil_zip", shape=shape)
    for _ in range(2):
        done = gone.run(*DAY, source="archive")
        assert (len(gone.held()), done.left, done.absent, done.unavailable) == (1440 - 144, 144, 0, 0)
    gone.sim.clear_faults()
    gone.sim.fault("delisting", symbols=["SOLUSDT"], rest="error")
    assert gone.run(*DAY, source="archive").revised == 144  # the archive has mended its zip
    assert gone.held() == truth(gone)


def test_a_torn_row_is_refused_alone(later):
    later.sim.fault("evil_zip", shape="torn_row", freq="daily")
    done = later.run(*DAY, source="archive")
    assert (done.added, done.archived, done.rows, done.imperfect) == (1440, 1439, 1, 1)
    assert "fields, expected 12" in kept(later)[0]["reason"]
    assert later.held() == truth(later)


@pytest.mark.parametrize(("kind", "more"), BROKEN)
def test_a_zip_that_cannot_be_believed_is_quarantined_with_its_reason_and_its_months_has_its_candles(gone, kind, more):
    gone.sim.fault(kind, freq="daily", **more)
    done = gone.run(*DAY, source="archive")
    assert (done.added, done.archived, done.quarantined, done.left) == (1440, 1440, 1, 0)
    zipped = gone.layout.quarantine / "archive" / ZIP
    assert zipped.stat().st_size > 0
    assert f"{ZIP}: " in zipped.with_name(f"{ZIP}.reason.txt").read_text(encoding="utf-8")
    assert list(gone.layout.base.parent.rglob("x.csv")) == []
    assert gone.held() == truth(gone)


@pytest.mark.parametrize(("kind", "more"), BROKEN)
def test_where_neither_zip_can_be_believed_rest_has_the_candles(later, kind, more):
    later.sim.fault(kind, **more)
    done = later.run(*DAY, source="archive")
    assert (done.added, done.archived, done.quarantined) == (1440, 0, 2)
    assert later.held() == truth(later)


@pytest.mark.parametrize(("kind", "more"), BROKEN)
def test_a_pair_whose_zips_were_refused_is_known_and_what_they_have_is_asked_for_again(gone, kind, more):
    gone.sim.fault(kind, **more)
    for _ in range(2):
        done = gone.run(*DAY, source="auto")
        assert (done.added, done.absent, done.unavailable, done.left, done.quarantined) == (0, 0, 0, 1440, 2)
    gone.sim.clear_faults()
    assert gone.run(*DAY, source="archive").added == 1440


@pytest.mark.parametrize(("kind", "more"), [("missing_checksum", {}), ("odd_checksum", {"shape": "empty"})])
def test_a_zip_without_a_checksum_is_believed_when_each_of_its_rows_is_a_candle(gone, kind, more):
    gone.sim.fault(kind, **more)
    done = gone.run(*DAY, source="archive")
    assert (done.added, done.archived, done.imperfect, done.quarantined) == (1440, 1440, 1, 0)
    assert gone.run(*DAY, source="archive").revised == 0
    assert gone.held() == truth(gone)


@pytest.mark.parametrize("shape", ["negative_price", "torn_row", "contradicting"])
def test_a_zip_without_a_checksum_and_with_a_row_that_is_not_a_candle_is_refused(gone, shape):
    gone.sim.fault("missing_checksum", freq="daily")
    gone.sim.fault("evil_zip", shape=shape, freq="daily")
    done = gone.run(*DAY, source="archive")
    assert (done.added, done.quarantined, done.rows) == (1440, 1, 0)
    assert gone.held() == truth(gone)


def test_a_checksum_in_capitals_with_an_asterisk_is_one(gone):
    gone.sim.fault("odd_checksum", shape="capitals")
    done = gone.run(*DAY, source="archive")
    assert (done.archived, done.imperfect) == (1440, 0)


def test_what_a_partial_zip_lacks_is_cross_checked_by_rest(later):
    later.sim.fault("evil_zip", shape="partial", freq="daily")
    done = later.run(*DAY, source="archive")
    assert (done.added, done.archived, done.absent) == (1440, 720, 0)
    assert later.held() == truth(later)


def test_what_a_partial_zip_of_a_delisted_pair_lacks_comes_from_its_month(gone):
    gone.sim.fault("evil_zip", shape="partial", freq="daily")
    done = gone.run(*DAY, source="archive")
    assert (done.added, done.archived) == (1440, 1440)
    assert gone.held() == truth(gone)


def test_what_a_partial_zip_of_a_delisted_pair_lacks_is_waited_for_until_its_month_is_there(layout):
    now = [NOW]
    with Simulator(["SOLUSDT"], 5, start_us=START, rate=0.2, clock=lambda: now[0]) as sim:
        exchange = Exchange(sim, layout)
        known = exchange.truth("2024-12-30", "2024-12-31")
        sim.fault("delisting", rest="error")
        sim.fault("evil_zip", shape="partial", freq="daily")
        done = exchange.run("2024-12-30", "2024-12-31", source="auto")
        assert (done.added, done.absent, done.unavailable, done.left) == (720, 0, 0, 720)
        now[0] += 3 * DAY_US
        done = exchange.run("2024-12-30", "2024-12-31", source="auto")
    assert (done.added, done.left, exchange.held()) == (720, 0, known)


def test_a_months_zip_serves_where_a_day_has_none(layout):
    monday = NOW + 2 * DAY_US
    with Simulator(["SOLUSDT"], 5, start_us=START, rate=0.2, clock=lambda: monday) as sim:
        exchange = Exchange(sim, layout)
        sim.fault("missing_zip", duration=600, path="/data/spot/daily")
        asked = exchange.count("/data/spot/monthly")
        done = exchange.run("2024-12-28", "2025-01-03", source="archive")
        held, known = exchange.held(), exchange.truth("2024-12-28", "2025-01-01")
    assert held == known
    assert (done.archived, done.left, asked()) == (4 * 1440, 2 * 1440, 2)


def test_a_months_zip_that_cannot_be_believed_is_fetched_once_for_all_of_its_days(later):
    later.sim.fault("missing_zip", path=DAILY)
    later.sim.fault("wrong_checksum", path=MONTHLY)
    asked = later.count(MONTHLY)
    done = later.run("2024-12-27", "2025-01-01", source="archive")
    assert (done.added, done.archived, done.quarantined, asked()) == (5 * 1440, 0, 1, 2)
    assert later.held() == truth(later, ("2024-12-27", "2025-01-01"))


def test_a_revision_upstream_is_noticed_on_a_later_run(exchange):
    exchange.run("2025-01-01", "2025-01-03", source="archive")
    before = exchange.held()
    assert exchange.run("2025-01-01", "2025-01-03", source="archive").revised == 0
    exchange.sim.fault("revised", rows=7, duration=600)
    done = exchange.run("2025-01-01", "2025-01-03", source="archive")
    assert (done.added, done.revised) == (0, 14)
    assert sum(a != b for a, b in zip(before, exchange.held(), strict=True)) == 14
    assert exchange.run("2025-01-01", "2025-01-03", source="archive").revised == 0


@pytest.mark.parametrize("shape", ["next_day", "other_unit", "repeated", "bom"])
def test_an_imperfect_revision_is_read_as_an_imperfect_zip_is(later, shape):
    later.run(*DAY, source="archive")
    before = later.held()
    later.sim.fault("revised", rows=7)
    later.sim.fault("evil_zip", shape=shape)
    done = later.run(*DAY, source="archive")
    assert (done.added, done.revised, done.quarantined) == (0, 7, 0)
    assert sum(a != b for a, b in zip(before, later.held(), strict=True)) == 7


@pytest.mark.parametrize("shape", ["negative_price", "contradicting"])
def test_a_revision_with_rows_that_are_not_candles_changes_only_the_others(later, shape):
    later.run(*DAY, source="archive")
    before = later.held()
    later.sim.fault("evil_zip", shape=shape)
    done = later.run(*DAY, source="archive")
    assert (done.revised, done.rows) == (0, 144 * (2 if shape == "contradicting" else 1))
    assert later.held() == before


@pytest.mark.parametrize(("kind", "more"), BROKEN)
def test_a_revision_that_cannot_be_believed_changes_nothing_and_is_counted(later, kind, more):
    later.run(*DAY, source="archive")
    before = later.held()
    if kind == "corrupt_zip":
        later.sim.fault("revised")
    later.sim.fault(kind, **more)
    done = later.run(*DAY, source="archive")
    assert (done.added, done.revised, done.quarantined) == (0, 0, 1)
    assert later.held() == before


def test_the_real_archive_is_read_through_the_stand_ins(realdata, layout):
    now = micros(datetime(2020, 1, 5, tzinfo=UTC))
    with Simulator(
        ["BTCUSDT"], 5, start_us=now - 5 * DAY_US, rate=0.1, clock=lambda: now,
        archive_folder=realdata / "binance_archive",
    ) as sim:  # fmt: skip
        exchange = Exchange(sim, layout)
        done = exchange.run("2020-01-01", "2020-01-04", symbol="BTCUSDT", source="archive")
    assert (done.added, done.archived, done.quarantined, done.imperfect) == (3 * 1440, 3 * 1440, 0, 0)
    assert exchange.held("BTCUSDT")[0] == (
        1577836800000, 7195.24, 7196.25, 7183.14, 7186.68, 51.642812, 1577836859999, 371233.51835535, 493, 19.59823,
        140888.41428273,
    )  # fmt: skip


def _window():

    return Window.parse(*DAY)
