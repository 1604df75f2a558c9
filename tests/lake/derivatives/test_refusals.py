"""An exchange that limits, fails or does not serve this place."""

import time
from datetime import UTC, datetime

import pytest

from lake.web import RestrictedError, WebError
from tests.lake.counted import counted
from tests.lake.derivatives.perpetuals import ARCHIVE, FUNDING, INTEREST, day, interest, paid, rows


def test_a_storm_of_429_is_obeyed_and_all_of_it_comes(sim, run, layout):
    asked = counted(sim, FUNDING)
    storm = sim.fault("429", duration=1.5, retry_after=1, path=FUNDING)
    began = time.monotonic()
    run("2024-03-10", "2024-03-11")
    hits = next(fault["hits"] for fault in sim.faults.all() if fault["id"] == storm["id"])
    assert 1 <= hits <= 2
    assert time.monotonic() - began >= hits, "each Retry-After of a second was waited for"
    assert asked() == hits + 1
    assert rows(layout, "funding") == paid(sim, day(10), day(11))


@pytest.mark.parametrize("kind", ["500", "truncated"])
def test_answers_that_fail_are_asked_for_again(sim, run, layout, kind):
    sim.fault(kind, count=1, path=FUNDING)
    sim.fault(kind, count=1, path=INTEREST)
    sim.fault(kind, count=1, path=ARCHIVE)
    run("2024-02-10", "2024-02-16")
    start, end = datetime(2024, 2, 10, tzinfo=UTC), datetime(2024, 2, 16, tzinfo=UTC)
    assert rows(layout, "open_interest") == interest(sim, start, end)
    assert rows(layout, "funding") == paid(sim, start, end)


def test_an_exchange_that_stays_broken_is_one_clear_error_and_what_came_stays(sim, run, layout):
    sim.fault("500", path=INTEREST)
    with pytest.raises(WebError, match="openInterestHist: HTTP 500"):
        run("2024-03-10", "2024-03-11")
    assert rows(layout, "funding") == paid(sim, day(10), day(11))


def test_a_place_that_is_not_served_is_told_apart_after_one_request(sim, run, layout):
    sim.fault("451", path="/fapi")
    asked = counted(sim)
    with pytest.raises(RestrictedError):
        run("2024-02-10", "2024-03-11")
    assert asked() == 1
    assert not layout.derivatives.exists()
