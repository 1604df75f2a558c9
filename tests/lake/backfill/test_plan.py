"""What is asked of whom: by what is lacking, what is known, and what it costs."""

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lake.backfill_known import Known
from lake.backfill_plan import plan, samples
from lake.kline_store import Held, day_opens
from lake.windows import DAY_US, Window

FIRST = date(2024, 12, 1)
NOW_US = Window.of_day(date(2025, 2, 1)).start_us
BEGINNING = -(2**62)


def lacking(days):
    found = [FIRST + timedelta(days=number) for number in range(days)]
    return {day: Held(day_opens("1h", day), None) for day in found}


def at(number):
    return Window.of_day(FIRST).start_us + number * DAY_US


def planned(source, known, free=6000, days=31):
    return plan("1h", lacking(days), source, known, free, NOW_US)


def test_rest_is_asked_for_all_that_it_may_have_and_the_archive_for_what_rest_has_not():
    found = planned("auto", Known(not_at_rest=[(BEGINNING, at(10))]))
    assert (found.candles, list(found.days), len(found.doubtful), found.perhaps) == (21 * 24, [], 10, 240)
    assert (found.rest[0].first_us, found.weight) == (at(10), 2)
    assert found.requests == 1 + 1 + 3  # REST; the month's zip; the zips of the 1st, 8th and 10th


def test_what_the_archive_has_not_either_is_not_asked_for():
    known = Known(not_at_rest=[(BEGINNING, at(10))], not_in_archive=[(BEGINNING, at(10))])
    for source in ("auto", "archive", "rest"):
        assert planned(source, known).perhaps == 0


def test_rest_alone_asks_nobody_else():
    found = planned("rest", Known(not_at_rest=[(BEGINNING, at(10))]))
    assert (found.candles, found.days, found.doubtful) == (21 * 24, {}, {})


def test_of_a_pair_that_rest_does_not_serve_everything_is_looked_for_in_the_archive():
    for source in ("auto", "archive"):
        found = planned(source, Known(served=False))
        assert (found.rest, found.days, len(found.doubtful)) == ([], {}, 31)


def test_the_archive_alone_is_asked_for_days_that_are_over():
    found = plan("1h", lacking(80), "archive", Known(), 6000, NOW_US)
    assert (found.rest, len(found.days), found.doubtful) == ([], 62, {})


@given(st.integers(0, 30), st.integers(1, 31), st.integers(0, 30))
def test_a_pair_that_was_traded_for_a_week_has_a_zip_of_a_day_that_is_looked_for(first, length, start):
    days = [FIRST + timedelta(days=number) for number in range(first, min(first + length, 31))]
    traded = [day for day in days if day >= FIRST + timedelta(days=start)][:7]
    looked = samples(days)
    assert set(looked) <= set(days) and len(looked) <= 7
    assert looked == days or len(days) > 7, "nothing of a week or less is called absent unlooked for"
    if len(traded) == 7 or (traded and traded[-1] == days[-1]) or (traded and traded[0] == days[0]):
        assert set(looked) & set(traded)


def test_open_times_of_a_known_range_are_those_of_the_archive_alone():
    times = np.arange(0, 10 * DAY_US, DAY_US)
    known = Known(not_at_rest=[(0, 3 * DAY_US)], not_in_archive=[(DAY_US, 2 * DAY_US)])
    assert known.of_rest(times).tolist() == times[3:].tolist()
    assert known.of_archive_alone(times).tolist() == [0, 2 * DAY_US]
