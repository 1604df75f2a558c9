"""When markets are open: holidays, half days, weekends, both changes of the clocks."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from lake import calendars
from lake.calendars import Market, closed_since, market, open_minutes, open_windows
from lake.windows import Window, moment


def shown(ticker, start, end):
    return [str(window) for window in open_windows(ticker, Window.parse(start, end))]


@pytest.mark.parametrize(
    ("ticker", "whose"),
    [
        ("SPY", Market.NEW_YORK), ("UUP", Market.NEW_YORK), ("BRK-B", Market.NEW_YORK), ("^GSPC", Market.NEW_YORK),
        ("ES=F", Market.GLOBEX), ("O=F", Market.GLOBEX), ("DX=F", Market.ICE), ("DX-Y.NYB", Market.ICE),
        ("EURUSD=X", Market.FX), ("BTC-USD", Market.ALWAYS), ("VOD.L", None), ("^FTSE", None), ("0700.HK", None),
    ],
)  # fmt: skip
def test_yahoos_name_of_a_ticker_tells_whose_hours_it_keeps(ticker, whose):
    assert market(ticker) is whose


def test_the_hours_of_an_unknown_exchange_are_not_guessed():
    window = Window.parse("2026-11-23", "2026-11-24")
    assert (open_windows("VOD.L", window), open_minutes("VOD.L", window)) == (None, None)
    assert closed_since("VOD.L", datetime(2026, 11, 22, tzinfo=UTC)) is None


def test_thanksgiving_is_closed_and_the_day_after_is_a_half_day_of_210_minutes():
    assert open_minutes("SPY", Window.of_day(date(2026, 11, 26))) == []
    half = open_minutes("SPY", Window.of_day(date(2026, 11, 27)))
    assert len(half) == 210
    assert (moment(half[0]).hour, moment(half[0]).minute) == (14, 30)
    assert (moment(half[-1]).hour, moment(half[-1]).minute) == (17, 59)


def test_the_weekend_is_closed():
    assert shown("SPY", "2026-11-27T18:00:00Z", "2026-11-30T14:30:00Z") == []
    assert shown("EURUSD=X", "2026-11-20T22:00:00Z", "2026-11-22T22:00:00Z") == []
    assert shown("ES=F", "2026-11-20T22:00:00Z", "2026-11-22T23:00:00Z") == []


@pytest.mark.parametrize(
    ("ticker", "first", "last", "friday", "monday"),
    [
        ("SPY", "2026-03-06", "2026-03-10", "2026-03-06T14:30:00Z/2026-03-06T21:00:00Z",
         "2026-03-09T13:30:00Z/2026-03-09T20:00:00Z"),
        ("SPY", "2026-10-30", "2026-11-03", "2026-10-30T13:30:00Z/2026-10-30T20:00:00Z",
         "2026-11-02T14:30:00Z/2026-11-02T21:00:00Z"),
        ("EURUSD=X", "2026-03-06", "2026-03-10", "2026-03-06T00:00:00Z/2026-03-06T22:00:00Z",
         "2026-03-08T21:00:00Z/2026-03-10T00:00:00Z"),
        ("EURUSD=X", "2026-10-30", "2026-11-03", "2026-10-30T00:00:00Z/2026-10-30T21:00:00Z",
         "2026-11-01T22:00:00Z/2026-11-03T00:00:00Z"),
    ],
)  # fmt: skip
def test_new_yorks_clocks_move_the_hours_in_utc_from_one_session_to_the_next(ticker, first, last, friday, monday):
    assert shown(ticker, first, last) == [friday, monday]


def test_globex_pauses_an_hour_a_day_and_closes_early_on_thanksgiving():
    assert shown("ES=F", "2026-11-24T12:00:00Z", "2026-11-27T20:00:00Z") == [
        "2026-11-24T12:00:00Z/2026-11-24T22:00:00Z",
        "2026-11-24T23:00:00Z/2026-11-25T22:00:00Z",
        "2026-11-25T23:00:00Z/2026-11-26T18:00:00Z",
        "2026-11-26T23:00:00Z/2026-11-27T18:00:00Z",
    ]


def test_a_session_that_begins_in_december_and_is_named_after_january_is_there():
    assert "2026-01-01T23:00:00Z/2026-01-02T00:00:00Z" in shown("ES=F", "2025-12-31", "2026-01-02")


def test_crypto_never_closes():
    assert len(open_minutes("BTC-USD", Window.parse("2026-12-25", "2026-12-27"))) == 2880


def test_only_whole_minutes_of_a_window_count():
    window = Window.parse("2026-11-25T14:30:30Z", "2026-11-25T14:33:30Z")
    assert [moment(us).minute for us in open_minutes("SPY", window)] == [31, 32]


@pytest.mark.parametrize(
    ("ticker", "stamps", "session"), [("SPY", "SPY", 390), ("^GSPC", "GSPC", 390), ("AAPL", "AAPL", 390)]
)
def test_the_recorded_day_has_exactly_the_minutes_of_the_calendar(realdata, ticker, stamps, session):
    text = (realdata / "yahoo" / f"chart_1m_2018-05-29_{stamps}.json").read_text()
    recorded = [stamp * 1_000_000 for stamp in json.loads(text)["chart"]["result"][0]["timestamp"]]
    assert open_minutes(ticker, Window.of_day(date(2018, 5, 29))) == recorded
    assert len(recorded) == session


@pytest.mark.parametrize("year", [2009, 2018, 2035, 2261])
def test_years_long_past_and_far_ahead_are_in_the_calendars(year):
    window = Window(datetime(year, 1, 5, tzinfo=UTC), datetime(year, 1, 20, tzinfo=UTC))
    assert 9 <= len(open_windows("SPY", window)) <= 11
    assert open_windows("ES=F", window)


def test_a_market_is_closed_since_its_last_session_ended():
    assert closed_since("SPY", datetime(2026, 11, 29, tzinfo=UTC)) == datetime(2026, 11, 27, 18, tzinfo=UTC)
    assert closed_since("SPY", datetime(2026, 11, 25, 15, tzinfo=UTC)) is None
    close = datetime(2026, 11, 25, 21, tzinfo=UTC)
    assert closed_since("SPY", close - timedelta(microseconds=1)) is None
    assert closed_since("SPY", close) == close
    assert closed_since("BTC-USD", close) is None


def test_the_calendars_are_imported_when_first_asked_and_not_before():
    """pandas and exchange-calendars take a second; a run over currencies alone needs neither."""
    code = (
        "import sys; from lake import macro_fetch, settings; from lake.calendars import open_windows\n"
        "from lake.windows import Window; w = Window.parse('2026-01-01', '2026-02-01')\n"
        "assert open_windows('EURUSD=X', w)\n"
        "print([n for n in ('pandas', 'exchange_calendars', 'yfinance') if n in sys.modules])\n"
        "open_windows('SPY', w); print('exchange_calendars' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:2] == ["[]", "True"], done.stderr


def test_a_year_of_an_exchange_is_made_once(monkeypatch):
    import exchange_calendars

    made = []
    real = exchange_calendars.get_calendar
    monkeypatch.setattr(exchange_calendars, "get_calendar", lambda *a, **k: made.append(a) or real(*a, **k))
    calendars._year.cache_clear()
    for day in range(1, 20):
        open_minutes("SPY", Window.of_day(date(2026, 5, day)))
    assert made == [("XNYS",)]
