"""Real yfinance over real sockets: the stand-in's market."""

from datetime import UTC, datetime, timedelta

import pytest

from lake import macro_fetch, macro_store
from lake.sections import MacroMinute
from lake.windows import Window, micros
from tests.lake.counted import counted
from tests.lake.yahoo.asking import CHART, TUESDAY, asked, update


@pytest.mark.parametrize(
    ("ticker", "now", "days", "minutes"),
    [
        ("SPY", "2026-11-28T12:00:00Z", 2, 210),
        ("SPY", "2026-11-26T20:00:00Z", 0.75, 0),
        ("SPY", "2026-11-22T20:00:00Z", 1, 0),
        ("SPY", "2026-03-10T00:00:00Z", 4, 780),
        ("SPY", "2026-11-03T00:00:00Z", 4, 780),
        ("EURUSD=X", "2026-03-10T00:00:00Z", 4, 22 * 60 + 27 * 60),
        ("EURUSD=X", "2026-11-03T00:00:00Z", 4, 21 * 60 + 26 * 60),
    ],
    ids=["Thanksgiving", "holiday", "weekend", "SPY spring", "SPY autumn", "EURUSD spring", "EURUSD autumn"],
)
def test_every_open_minute_comes_through_holidays_and_both_changes_of_the_clocks(
    stand_in, layout, ticker, now, days, minutes
):
    """The windows of the clocks' changes begin on Friday at midnight UTC."""
    at = datetime.fromisoformat(now)
    answer = asked(stand_in(at), ticker, days, at)
    assert len(answer.rows) == minutes
    found = macro_fetch.update(layout, ticker, MacroMinute(), at, 4, ask=lambda *_: answer)
    assert found.missing == 0 if days == 4 else found.new == minutes
    assert found.new + found.nulls == minutes


def test_a_currencys_last_minute_of_the_day_is_there(stand_in, layout):
    """Yahoo ends its trading period at 23:59:00 London, which is no reason to leave out the minute that begins then."""
    assert update(layout, stand_in(), "GBPUSD=X", TUESDAY).outside == 0
    last = micros(datetime(2026, 11, 23, 23, 59, tzinfo=UTC))
    assert last in macro_store.held(layout, "GBPUSD=X", Window.of_day(TUESDAY.date() - timedelta(days=1)))


def test_one_request_a_ticker(stand_in, layout):
    sim = stand_in()
    seen = counted(sim, CHART)
    for number, ticker in enumerate(("SPY", "EURUSD=X", "ES=F"), start=1):
        assert update(layout, sim, ticker, TUESDAY).new > 0
        assert seen() == number


def test_the_minute_still_forming_comes_and_its_final_values_replace_nothing(stand_in, layout):
    found = update(layout, stand_in(), "SPY", TUESDAY)
    assert found.forming == 1
    assert found.newest == datetime(2026, 11, 24, 19, 59, tzinfo=UTC)
    later = TUESDAY + timedelta(minutes=1)
    found = update(layout, stand_in(later), "SPY", later)
    assert (found.new, found.revised, found.forming) == (1, 0, 1)


def test_a_month_comes_in_pieces(stand_in, layout):
    found = update(layout, stand_in(), "SPY", TUESDAY, days=30)
    assert (found.missing, found.without_price) == (0, 0)
    assert found.new == found.expected > 20 * 390
