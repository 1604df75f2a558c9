"""The change of labels on 2026-06-25 (binance-public-data issue 491): what is fetched, what older versions stored."""

from datetime import UTC, datetime, timedelta

import pytest

from lake import derivatives, derivatives_store
from lake.sections import Binance
from lake.windows import Window, micros
from simulator import Simulator
from tests.lake.counted import counted
from tests.lake.derivatives.perpetuals import ARCHIVE, interest, interests, rows

NOW = datetime(2026, 8, 15, 12, 2, 30, tzinfo=UTC)
FIVE_US = 300_000_000


@pytest.fixture(scope="module")
def shared():
    free = {"futures": 10**9, "funding": 10**9, "open_interest": 10**9}
    with Simulator(["SOLUSDT"], 7, rate=0.05, clock=lambda: micros(NOW), request_limits=free) as running:
        yield running


@pytest.fixture
def sim(shared):
    yield shared
    shared.clear_faults()


@pytest.fixture
def run(sim, layout):
    hosts = Binance(futures_url=sim.futures_url, archive_url=sim.archive_url)
    return lambda start, end: derivatives.run(layout, hosts, "SOLUSDT", Window(start, end), NOW)


@pytest.fixture
def stored(sim, layout):
    """Store days as an older version did: from REST, or from the archive's labels taken for moments."""

    def stored(start, end, late_us=0):
        found = sim.open_interests("SOLUSDT", micros(start) + late_us, micros(end) + late_us)
        table = interests((o.time_us - late_us, float(o.amount), float(o.value)) for o in found)
        derivatives_store.put_interests(layout, "SOLUSDT", table, "snappy")

    return stored


def june(number, hour=0, minute=0):
    return datetime(2026, 6, number, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize("slow", [24, 25])
def test_open_interest_is_the_exchanges_before_and_after_the_change_in_whatever_order_it_comes(sim, run, layout, slow):
    """The zips of both days have a row of 2026-06-25 00:00, of different moments."""
    sim.fault("slow", ms=500, path=f"{ARCHIVE}/daily/metrics/SOLUSDT/SOLUSDT-metrics-2026-06-{slow}.zip")
    done = run(june(24, 12), june(26, 12))
    assert rows(layout, "open_interest") == interest(sim, june(24, 12), june(26, 12))
    assert (done.interests, done.absent, done.left, done.refused, done.contradictions) == (576, 0, 0, 0, 0)


def test_rest_and_archive_agree_about_a_day_that_both_have(sim, run, layout):
    start = NOW - timedelta(days=30)
    run(start - timedelta(days=1), start + timedelta(days=1))
    assert rows(layout, "open_interest") == interest(sim, start - timedelta(days=1), start + timedelta(days=1))


def test_days_that_an_older_version_stored_early_are_put_right_once(sim, run, layout, stored):
    stored(june(23), june(25))
    stored(june(25), june(28), late_us=FIVE_US)
    stored(june(28), june(30))
    done = run(NOW - timedelta(hours=2), NOW)
    assert done.mended == 3 * 288
    found = rows(layout, "open_interest")
    assert [row for row in found if row[1] < micros(june(30))] == interest(sim, june(23), june(30))
    again = counted(sim, ARCHIVE)
    assert run(NOW - timedelta(hours=2), NOW).mended == 0
    assert again() == 0


def test_a_day_that_came_from_both_is_put_right_row_by_row(sim, run, layout, stored):
    stored(june(27), june(27, 9), late_us=FIVE_US)
    stored(june(27, 9), june(28))
    assert run(NOW - timedelta(hours=2), NOW).mended == 9 * 12
    found = rows(layout, "open_interest")
    assert [row for row in found if row[1] < micros(june(28))] == interest(sim, june(27), june(28))


def test_early_rows_whose_own_snapshot_the_archive_lacks_are_dropped_and_fetched_when_it_comes(
    sim, run, layout, stored
):
    stored(june(27), june(28), late_us=FIVE_US)
    gone = sim.fault("missing_zip", path=f"{ARCHIVE}/daily/metrics/SOLUSDT/SOLUSDT-metrics-2026-06-26.zip")
    assert run(NOW - timedelta(hours=2), NOW).mended == 288
    found = [row for row in rows(layout, "open_interest") if row[1] < micros(june(28))]
    assert found == interest(sim, june(27, 0, 5), june(28))
    sim.clear_faults(gone["id"])
    assert run(june(27), june(28)).interests == 1


def test_what_the_archive_does_not_have_stays_as_it_is(sim, run, layout, stored):
    stored(june(27), june(28), late_us=FIVE_US)
    before = rows(layout, "open_interest")
    sim.fault("missing_zip")
    assert run(NOW - timedelta(hours=2), NOW).mended == 0
    assert [row for row in rows(layout, "open_interest") if row[1] < micros(june(28))] == before


def test_what_rest_gave_of_the_last_days_proves_the_labels_first(sim, run, layout, stored):
    """Were REST labelled as the archive is, its own rows would look early: then nothing is changed."""
    stored(june(27), june(28), late_us=FIVE_US)
    stored(NOW - timedelta(days=10, hours=12), NOW - timedelta(days=8, hours=12), late_us=FIVE_US)
    before = rows(layout, "open_interest")
    done = run(NOW - timedelta(hours=2), NOW)
    assert done.mended == 0
    assert rows(layout, "open_interest")[: len(before)] == before
