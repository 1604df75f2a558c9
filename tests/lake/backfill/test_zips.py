"""Candles out of the archive's zips: believed, lacking, of a month, revised."""

from datetime import UTC, datetime

import pytest

from lake.windows import DAY_US, micros
from simulator import Simulator
from tests.lake.backfill.exchange import NOW, START, Exchange


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
