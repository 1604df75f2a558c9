"""A ticker used again (binance-public-data issue 495): REST has the new contract, the archive the old one, too."""

from datetime import UTC, datetime, timedelta

import orjson
import pyarrow.parquet as pq
import pytest

from lake import derivatives, derivatives_store, futures
from lake.archive_futures import ArchiveFutures
from lake.fundings import Fundings
from lake.history import History
from lake.sections import Binance
from lake.web import Web
from lake.windows import HOUR_US, Window, micros
from simulator import Listing, Simulator
from simulator.archive_rows import FUNDING_HEADER
from tests.lake.counted import counted
from tests.lake.derivatives.perpetuals import ARCHIVE, FUNDING, NOW, day, interest, paid, rows
from tests.lake.test_archive_futures import HEAD
from tests.lake.zipped import put

NEW = datetime(2024, 2, 20, 13, tzinfo=UTC)
"""From here on REST knows LITUSDT; it has always known LATEUSDT."""
FIRST_PAID = datetime(2024, 2, 20, 16, tzinfo=UTC)
EIGHT, FIVE = timedelta(hours=8), timedelta(minutes=5)


def at(month, number, hour=0):
    return datetime(2024, month, number, hour, tzinfo=UTC)


def funding_zip(folder, month, times, rate=2.5e-4, symbol="LITUSDT"):
    lines = [f"{micros(one) // 1000 + 3},8,{rate:.8f}\n" for one in times]
    put(folder, f"{symbol}-fundingRate-{month}", FUNDING_HEADER + "".join(lines))


def every_eight_hours(start, end):
    return [start + number * EIGHT for number in range((end - start) // EIGHT)]


def old(times, rate=2.5e-4):
    """The rows of the old contract's fundings."""
    return [("LITUSDT", micros(one) + 3000, rate, None) for one in times]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("zips")


@pytest.fixture(scope="module")
def shared(folder):
    free = {"futures": 10**9, "funding": 10**9, "open_interest": 10**9}
    pairs = ["SOLUSDT", Listing("LITUSDT", 5.0, 4, 2, listed_us=micros(NEW))]
    with Simulator(
        pairs, 7, rate=0.05, clock=lambda: micros(NOW), request_limits=free, archive_folder=folder
    ) as running:
        yield running


@pytest.fixture
def sim(shared, folder):
    yield shared
    shared.clear_faults()
    for path in folder.iterdir():
        path.unlink()


@pytest.fixture
def run(sim, layout):
    hosts = Binance(futures_url=sim.futures_url, archive_url=sim.archive_url)
    return lambda start, end, now=NOW, symbol="LITUSDT": derivatives.run(layout, hosts, symbol, Window(start, end), now)


def test_fundings_that_only_the_archive_has_are_taken_and_the_month_is_not_asked_again(sim, run, layout, folder):
    times = every_eight_hours(at(1, 1), at(2, 1))
    funding_zip(folder, "2024-01", times)
    assert run(at(1, 1), at(2, 1)).fundings == 93
    assert rows(layout, "funding", "LITUSDT") == old(times)
    again = counted(sim)
    run(at(1, 1), at(2, 1))
    assert again() == 0


def test_one_window_over_both_contracts_and_the_silence_between_them_has_all_of_both(sim, run, layout, folder):
    times = every_eight_hours(at(1, 1), at(1, 31, 16))
    funding_zip(folder, "2024-01", times)
    run(day(1) - timedelta(days=80), day(14))
    assert rows(layout, "funding", "LITUSDT") == old(times) + paid(sim, FIRST_PAID, day(14), "LITUSDT")
    again = counted(sim)
    run(day(1) - timedelta(days=80), day(14))
    assert again() == 0


@pytest.mark.parametrize("hours", [(7, 10), (8, 9), (0, 24)])
def test_an_hour_that_only_the_archive_has_is_not_noted_as_empty(run, layout, folder, hours):
    funding_zip(folder, "2024-01", every_eight_hours(at(1, 1), at(2, 1)))
    start = at(1, 10)
    run(start + timedelta(hours=hours[0]), start + timedelta(hours=hours[1]))
    held = old(every_eight_hours(start, start + 3 * EIGHT))
    assert rows(layout, "funding", "LITUSDT") == (held[1:2] if hours != (0, 24) else held)


def test_an_hour_between_two_fundings_of_rest_costs_one_request_and_no_zip(sim, run, layout):
    fundings, archive = counted(sim, FUNDING), counted(sim, f"{ARCHIVE}/monthly")
    run(at(2, 10, 1), at(2, 10, 2), symbol="SOLUSDT")
    run(at(2, 10, 1), at(2, 10, 2), symbol="SOLUSDT")
    assert (fundings(), archive()) == (1, 0)
    with History(layout, "SOLUSDT", "funding") as history:
        assert history.holes() == [(micros(at(2, 10, 1)), micros(at(2, 10, 2)))]


@pytest.fixture
def empty(sim, layout):
    """Ask REST and archive about a window at some present; return what is noted as empty."""

    def empty(start, end, now):
        with (
            History(layout, "LITUSDT", "funding") as history,
            futures.connected(layout, sim.futures_url) as rest,
            Web(sim.archive_url) as web,
        ):
            paid = Fundings(layout, "LITUSDT", Window(start, end), now, history, "snappy")
            paid.by_archive(ArchiveFutures(web, layout, "LITUSDT"), paid.by_rest(rest), alive=True)
            return history.holes()

    return empty


@pytest.mark.parametrize(("late", "settled"), [(timedelta(days=9), False), (timedelta(days=11), True)])
def test_a_month_without_a_zip_is_absent_only_when_the_zip_will_not_come(empty, late, settled):
    start, end = at(1, 10), at(1, 12)
    assert empty(start, end, at(2, 1) + late) == ([(micros(start), micros(end))] if settled else [])


def test_the_month_that_is_not_over_is_not_noted_as_empty(empty):
    """The new contract could have been listed this month, after an old one: no zip shows that yet."""
    assert empty(at(2, 12), NEW, at(2, 28)) == []


@pytest.mark.parametrize("fault", ["wrong_checksum", "corrupt_zip"])
def test_a_zip_that_cannot_be_believed_leaves_its_month_open(sim, run, layout, folder, fault):
    funding_zip(folder, "2024-01", every_eight_hours(at(1, 1), at(2, 1)))
    sim.fault(fault, count=1, path=f"{ARCHIVE}/monthly")
    done = run(at(1, 1), at(2, 1))
    assert (done.fundings, done.quarantined) == (0, 1)
    assert run(at(1, 1), at(2, 1)).fundings == 93


def test_a_zip_with_an_odd_row_gives_the_others_and_leaves_its_month_open(run, layout, folder):
    times = every_eight_hours(at(1, 1), at(2, 1))
    lines = "".join(f"{micros(one) // 1000 + 3},8,0.00025\n" for one in times[1:])
    put(folder, "LITUSDT-fundingRate-2024-01", f"{micros(times[0]) // 1000},8,\n{lines}")
    done = run(at(1, 1), at(2, 1))
    assert (done.fundings, done.refused, done.quarantined) == (92, 1, 0)
    funding_zip(folder, "2024-01", times)
    assert run(at(1, 1), at(2, 1)).fundings == 1
    assert rows(layout, "funding", "LITUSDT") == old(times)


def test_a_funding_that_rest_and_archive_name_some_milliseconds_apart_is_counted_once(sim, run, layout, folder):
    [first] = paid(sim, FIRST_PAID, FIRST_PAID + FIVE, "LITUSDT")
    before = every_eight_hours(at(2, 1), at(2, 10))
    for rate, differ in ((first[2], 0), (0.001, 1)):
        funding_zip(folder, "2024-02", [*before, FIRST_PAID - timedelta(milliseconds=30)], rate=rate)
        run(at(2, 1), at(2, 21))
        found = rows(layout, "funding", "LITUSDT")
        assert found == old(before, rate) + paid(sim, FIRST_PAID, at(2, 21), "LITUSDT")
        layout.funding_file("LITUSDT", 2024).unlink()
        layout.history.unlink()
        done = run(at(2, 1), at(2, 21))
        assert (done.fundings, done.contradictions) == (len(found), differ)
        layout.funding_file("LITUSDT", 2024).unlink()
        layout.history.unlink()


def noted_as_before(layout, symbol, ranges):
    """A year's file as older versions wrote it: whole stretches, on the word of REST alone."""
    path = layout.funding_file(symbol, 2024)
    table = pq.ParquetFile(path).read()
    noted = {b"whole_us": orjson.dumps([[micros(one) for one in each] for each in ranges])}
    pq.write_table(table.replace_schema_metadata(noted), path)


def test_a_stretch_noted_by_an_older_version_is_asked_again_where_it_could_hide_fundings(sim, run, layout, folder):
    run(at(2, 20), at(3, 1))
    noted_as_before(layout, "LITUSDT", [(at(1, 1), at(3, 1))])
    held = rows(layout, "funding", "LITUSDT")
    times = every_eight_hours(at(1, 1), at(1, 20))
    funding_zip(folder, "2024-01", times)
    assert run(at(1, 1), at(3, 1)).fundings == len(times)
    assert rows(layout, "funding", "LITUSDT") == old(times) + held
    fundings, archive = counted(sim, FUNDING), counted(sim, f"{ARCHIVE}/monthly")
    run(at(1, 1), at(3, 1))
    assert (fundings(), archive()) == (0, 0)


def test_a_stretch_noted_by_an_older_version_whose_fundings_are_regular_is_not_asked_again(sim, run, layout):
    run(at(1, 1), at(3, 1), symbol="SOLUSDT")
    noted_as_before(layout, "SOLUSDT", [(at(1, 1), at(3, 1))])
    again = counted(sim, FUNDING)
    run(at(1, 1), at(3, 1), symbol="SOLUSDT")
    assert again() == 0


def test_stretches_are_proved_between_fundings_at_most_a_day_apart():
    stretch, hours = (0, 100 * HOUR_US), (20, 28, 36, 61, 85)
    assert derivatives_store.unproved(stretch, [hour * HOUR_US for hour in hours]) == [(36 * HOUR_US + 1, 61 * HOUR_US)]
    assert derivatives_store.unproved(stretch, []) == [stretch]


def metrics_zip(folder, first, count=288, symbol="LITUSDT"):
    lines = [f"{first + n * FIVE:%Y-%m-%d %H:%M:%S},{symbol},{n + 1},2,1,1,1,1\n" for n in range(count)]
    put(folder, f"{symbol}-metrics-{first:%Y-%m-%d}", HEAD + "".join(lines))


def test_open_interest_that_rest_lacks_before_the_new_contract_is_taken_from_the_archive(sim, run, layout, folder):
    metrics_zip(folder, at(2, 18) + FIVE)
    done = run(at(2, 18), at(2, 21))
    found = rows(layout, "open_interest", "LITUSDT")
    own = [("LITUSDT", micros(at(2, 18) + n * FIVE), float(n), 2.0) for n in range(1, 289)]
    assert found == own + interest(sim, NEW, at(2, 21), "LITUSDT")
    assert (done.absent, done.left) == (1 + (NEW - at(2, 19)) // FIVE - 1, 0)
    again = counted(sim)
    assert run(at(2, 18), at(2, 21)).absent == 0
    assert again() == 0


def test_open_interest_whose_zip_has_an_odd_row_is_left_and_comes_with_the_revised_zip(run, layout, folder):
    first = at(1, 10) + FIVE
    metrics_zip(folder, first)
    labels = [first + n * FIVE for n in range(288)]
    labels[5] += timedelta(seconds=7)
    lines = [f"{label:%Y-%m-%d %H:%M:%S},LITUSDT,1,2,1,1,1,1\n" for label in labels]
    put(folder, "LITUSDT-metrics-2024-01-10", HEAD + "".join(lines))
    done = run(first, at(1, 11))
    assert (done.interests, done.refused, done.left, done.absent) == (286, 1, 1, 0)
    metrics_zip(folder, first)
    assert run(first, at(1, 11)).interests == 1


def test_of_two_rows_for_one_moment_a_0_does_not_win_and_the_contradiction_is_counted(run, layout, folder):
    first = at(1, 10) + FIVE
    row = f"{first:%Y-%m-%d %H:%M:%S},LITUSDT,{{}},{{}},1,1,1,1\n"
    for pairs in (("0,0", "7,14"), ("7,14", "0,0")):
        text = HEAD + "".join(row.format(*pair.split(",")) for pair in pairs)
        put(folder, "LITUSDT-metrics-2024-01-10", text)
        done = run(first, first + FIVE)
        assert (done.interests, done.contradictions) == (1, 1)
        assert rows(layout, "open_interest", "LITUSDT") == [("LITUSDT", micros(first), 7.0, 14.0)]
        layout.open_interest_file("LITUSDT", first.date()).unlink()
