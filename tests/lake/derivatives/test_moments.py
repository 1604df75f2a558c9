"""Fundings and open interest from a stand-in, over real sockets: only what is missing, all of it, once."""

from datetime import timedelta

from lake.derivatives import Collected
from lake.windows import micros, moment
from tests.conftest import content
from tests.lake.counted import counted
from tests.lake.derivatives.perpetuals import ARCHIVE, FIVE, FUNDING, INTEREST, NOW, day, interest, paid, rows


def test_200_days_of_funding_and_40_of_open_interest_are_the_exchanges_and_a_second_run_asks_nothing(sim, run, layout):
    start, middle, end = NOW - timedelta(days=200), NOW - timedelta(days=40), day(15, 10)
    archive, all_of = counted(sim, ARCHIVE), counted(sim)
    done = run(middle, end)
    assert archive() == 2 * 11, "ten and a half days by the archive, each a zip and its CHECKSUM"
    assert all_of() - archive() <= 1 + 1 + 18, "30 days by REST, 500 an answer; one of fundings, one of the time"
    assert rows(layout, "open_interest") == interest(sim, middle, end)
    assert (done.absent, done.left, done.quarantined) == (0, 0, 0)
    assert done.interests == len(rows(layout, "open_interest"))

    sim.fault("missing_zip")  # of the 160 days before it, only fundings are wanted here
    run(start, middle)
    sim.clear_faults()
    assert rows(layout, "funding") == paid(sim, start, end)
    assert len(rows(layout, "funding")) >= 599

    before, again = content(layout.derivatives), counted(sim)
    done = run(start, end)
    assert again() == 0
    assert (done.fundings, done.interests) == (0, 0)
    assert content(layout.derivatives) == before


def test_a_window_is_half_open_and_the_newest_moment_comes_when_the_next_one_has(sim, run, layout):
    run(day(15, 7, 55), day(15, 11, 55))
    assert rows(layout, "open_interest") == interest(sim, day(15, 7, 55), day(15, 11, 55))
    assert rows(layout, "funding") == paid(sim, day(15, 7, 55), day(15, 11, 55))
    run(day(15, 11), day(15, 13))
    assert rows(layout, "open_interest")[-1][1] == micros(day(15, 11, 55)), "12:00 is over at 12:05"
    run(day(15, 11), day(15, 13), now=NOW + FIVE)
    assert rows(layout, "open_interest")[-1][1] == micros(day(15, 12))


def test_funding_times_stay_as_given_some_milliseconds_after_the_hour(run, layout):
    run("2024-03-01", "2024-03-11")
    late = [at % 3_600_000_000 for _, at, *_ in rows(layout, "funding")]
    assert 0 < max(late) < 18_000
    assert all(us % 1000 == 0 for us in late)


def test_a_funding_at_the_very_start_belongs_and_one_at_the_end_does_not(sim, run, layout):
    whole = paid(sim, day(12), day(13))
    low, high = moment(whole[0][1]), moment(whole[2][1])
    run(low, high)
    assert rows(layout, "funding") == whole[:2]
    run(high, high + timedelta(microseconds=1))
    assert rows(layout, "funding") == whole


def test_pieces_in_any_order_and_over_each_other_are_one_whole(sim, run, layout):
    for low, high in ((11, 12), (8, 10), (9, 13), (7, 8), (7, 13)):
        run(day(low, 5, 10), day(high, 17, 25))
    assert rows(layout, "open_interest") == interest(sim, day(7, 5, 10), day(13, 17, 25))
    assert rows(layout, "funding") == paid(sim, day(7, 5, 10), day(13, 17, 25))


def test_an_hourly_run_asks_each_endpoint_once(sim, run, layout):
    run(day(14), NOW)
    fundings, interests, archive = (counted(sim, path) for path in (FUNDING, INTEREST, ARCHIVE))
    run(day(14), NOW + timedelta(hours=1), now=NOW + timedelta(hours=1))
    assert (fundings(), interests(), archive()) == (1, 1, 0)


def test_a_window_that_lies_ahead_asks_nobody(sim, run, layout):
    asked = counted(sim)
    assert run(NOW + FIVE, NOW + 2 * FIVE) == Collected("SOLUSDT")
    assert asked() == 0
