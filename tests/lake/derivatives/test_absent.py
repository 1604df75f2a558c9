"""What there is none of: before a listing, without a contract, and answers that prove nothing."""

from datetime import timedelta

import pytest

from lake import derivatives_store
from lake.futures import Rows
from lake.history import History
from lake.intervals import opens
from lake.schemas import FUNDING as FUNDING_SCHEMA
from lake.schemas import OPEN_INTEREST
from lake.web import Web
from lake.windows import DAY, micros
from tests.lake.counted import counted
from tests.lake.derivatives.perpetuals import ARCHIVE, FUNDING, INTEREST, LISTED, NOW, day, interest, paid, rows


def test_what_was_before_a_listing_is_absent_once_the_archive_has_nothing_either(sim, run, layout):
    """Fundings: the months before; open interest: days whose zips are ten days late. REST alone is not believed."""
    start, end = day(15) - timedelta(days=40), day(14)
    settled = micros(NOW - timedelta(days=10))
    done = run(start, end, "NEWUSDT")
    assert rows(layout, "open_interest", "NEWUSDT") == interest(sim, start, end, "NEWUSDT")
    assert rows(layout, "funding", "NEWUSDT") == paid(sim, start, end, "NEWUSDT")
    assert rows(layout, "funding", "NEWUSDT")[0][1] >= micros(LISTED)
    assert done.absent == len(opens("5m", micros(start), settled))
    assert done.left == len(opens("5m", settled, micros(LISTED)))
    again = counted(sim, ARCHIVE)
    old = run(start, day(5), "NEWUSDT")
    assert (old.absent, old.left, again()) == (0, 0, 0)
    with History(layout, "NEWUSDT", "funding") as history:
        assert history.holes() == [(micros(start), micros(day(1)))], "March's zip is not there before April"


def test_fundings_of_a_year_without_any_are_not_asked_for_again(sim, run, layout):
    run("2023-03-01", "2023-03-20", "NEWUSDT")
    again = counted(sim, FUNDING)
    run("2023-03-01", "2023-03-20", "NEWUSDT")
    assert again() == 0


def test_one_empty_answer_is_no_proof_that_nothing_was_paid_or_open(run, layout, monkeypatch):
    real, slips = Web.json, {FUNDING, INTEREST}

    def slip(web, path, *more):
        found = real(web, path, *more)
        return [] if path in slips and not slips.remove(path) else found

    monkeypatch.setattr(Web, "json", slip)
    run("2024-03-10", "2024-03-12")
    done = run("2024-03-10", "2024-03-12")
    assert (slips, done.absent) == (set(), 0)
    assert len(rows(layout, "funding")) == 6
    assert len(rows(layout, "open_interest")) == 576


def test_an_exchange_with_nothing_to_say_is_not_believed(run, layout, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("lake.futures.Futures.fundings", lambda *_: FUNDING_SCHEMA.empty())
        patched.setattr("lake.futures.Futures.interests", lambda *_: Rows(OPEN_INTEREST.empty()))
        done = run("2024-03-10", "2024-03-12")
        assert (done.left, done.hours_left) == (576, 48)
    done = run("2024-03-10", "2024-03-12")
    assert (done.interests, done.left, done.hours_left) == (576, 0, 0)


def test_fundings_that_rest_answers_nothing_about_are_taken_out_of_the_archive(sim, run, layout, monkeypatch):
    """REST may answer a delisted contract with an empty list. That is no proof: a month without a zip stays open."""
    with monkeypatch.context() as patched:
        patched.setattr("lake.futures.Futures.fundings", lambda *_: FUNDING_SCHEMA.empty())
        patched.setattr("lake.futures.Futures.next_funding", lambda *_: None)
        done = run("2024-02-01", "2024-03-03")
    assert (done.fundings, done.hours_left) == (29 * 3, 48)
    assert [row[:3] for row in rows(layout, "funding")] == [row[:3] for row in paid(sim, day(1) - 29 * DAY, day(1))]
    with History(layout, "SOLUSDT", "funding") as history:
        assert history.holes() == []


def test_a_clock_of_ours_that_is_hours_ahead_loses_no_funding(run, layout):
    run(day(14), NOW + timedelta(hours=9), now=NOW + timedelta(hours=9))
    assert derivatives_store.whole(layout, "SOLUSDT", 2024)[-1][1] <= micros(NOW)


@pytest.mark.parametrize("symbol", ["RIFUSDT", "NOPEUSDT"])
def test_a_pair_without_a_contract_is_told_apart_and_leaves_nothing(run, layout, symbol):
    done = run("2024-02-01", "2024-03-12", symbol)
    assert not done.known
    assert not layout.derivatives.exists()
