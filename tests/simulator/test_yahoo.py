"""The stand-in's Yahoo: its payload, its limits, its recorded folder."""

from datetime import UTC, datetime, timedelta

import pytest
import requests

from lake.calendars import open_minutes
from lake.windows import Window, micros
from simulator import Simulator

NOW = datetime(2026, 11, 24, 20, 0, 30, tzinfo=UTC)  # a Tuesday


@pytest.fixture
def yahoo(clock):
    clock.now = micros(NOW)
    with Simulator(["SOLUSDT"], seed=3, clock=clock) as sim:
        yield Yahoo(sim)


class Yahoo:
    def __init__(self, sim):
        self.sim = sim

    def get(self, ticker, start=NOW - timedelta(days=1), end=NOW, **more):
        span = {"period1": int(start.timestamp()), "period2": int(end.timestamp()), "interval": "1m"}
        return requests.get(f"{self.sim.yahoo_url}/v8/finance/chart/{ticker}", params=span | more, timeout=10)

    def result(self, *arguments, **more):
        answer = self.get(*arguments, **more)
        assert answer.status_code == 200, answer.text
        assert answer.json()["chart"]["error"] is None
        return answer.json()["chart"]["result"][0]


def test_minutes_are_there_when_the_market_is_open_and_the_one_still_forming_is_the_last(yahoo):
    week = Window(NOW.replace(second=0) - timedelta(days=7), NOW)
    result = yahoo.result("SPY", week.start, week.end)
    assert result["timestamp"] == [us // 1_000_000 for us in open_minutes("SPY", week)] + [
        int(NOW.timestamp()) // 60 * 60
    ]
    quote = result["indicators"]["quote"][0]
    assert set(quote) == {"open", "high", "low", "close", "volume"}
    for low, first, last, high in zip(quote["low"], quote["open"], quote["close"], quote["high"], strict=True):
        assert 0 < low <= min(first, last) <= max(first, last) <= high


def test_the_same_seed_makes_the_same_minutes_whenever_asked_once_they_have_ended(yahoo, clock):
    before = yahoo.result("ES=F")["indicators"]["quote"][0]
    clock.now += 60_000_000
    after = yahoo.result("ES=F", NOW - timedelta(days=1), NOW + timedelta(minutes=1))["indicators"]["quote"][0]
    assert {name: values[:-1] for name, values in before.items()} == {
        n: v[: len(before[n]) - 1] for n, v in after.items()
    }
    assert before["close"][-1] != after["close"][-2], "the forming minute has ended"
    with Simulator(["SOLUSDT"], seed=4, clock=clock) as other:
        one, another = (which.result("SPY")["indicators"]["quote"][0]["close"] for which in (yahoo, Yahoo(other)))
    assert one != another


def test_nothing_is_told_of_the_future(yahoo):
    minute = int(NOW.timestamp()) // 60 * 60
    stamps = yahoo.result("BTC-USD", NOW - timedelta(minutes=1), NOW + timedelta(days=1))["timestamp"]
    assert stamps == [minute - 60, minute]


def test_futures_and_currencies_have_null_rows_now_and_then_and_currencies_no_volume(yahoo):
    for ticker, volumes in (("EURUSD=X", {0, None}), ("ES=F", None)):
        quote = yahoo.result(ticker)["indicators"]["quote"][0]
        nulls = [row for row in zip(*quote.values(), strict=True) if None in row]
        assert nulls
        assert all(row == (None,) * 5 for row in nulls)
        assert len(nulls) < len(quote["open"]) / 10
        assert volumes is None or set(quote["volume"]) == volumes


def test_the_meta_is_yahoos(yahoo):
    meta = yahoo.result("SPY")["meta"]
    assert (meta["exchangeTimezoneName"], meta["timezone"], meta["gmtoffset"]) == ("America/New_York", "EST", -18_000)
    assert (meta["currency"], meta["instrumentType"], meta["dataGranularity"]) == ("USD", "ETF", "1m")
    assert [len(day) for day in meta["tradingPeriods"]] == [1, 1]
    periods = yahoo.result("EURUSD=X", includePrePost="true")["meta"]["tradingPeriods"]
    assert set(periods) == {"pre", "regular", "post"}
    assert all(day[0]["end"] - day[0]["start"] == 86_340 for day in periods["regular"])


def test_where_the_market_was_closed_there_is_no_timestamp_at_all(yahoo):
    sunday = datetime(2026, 11, 22, tzinfo=UTC)
    result = yahoo.result("SPY", sunday, sunday + timedelta(hours=20))
    assert ("timestamp" in result, result["indicators"]) == (False, {"quote": [{}]})


@pytest.mark.parametrize(
    ("ticker", "start", "more", "status", "words"),
    [
        ("NOPE", NOW - timedelta(1), {}, 404, "No data found, symbol may be delisted"),
        ("SPY", NOW - timedelta(9), {}, 422, "Only 8 days worth of 1m"),
        ("SPY", NOW - timedelta(31), {}, 422, "within the last 30 days"),
        ("SPY", NOW - timedelta(1), {"interval": "3m"}, 422, "interval=3m is not supported"),
        ("SPY", NOW + timedelta(1), {}, 400, "start date cannot be after end date"),
        ("SPY", NOW - timedelta(1), {"period1": "soon"}, 400, "Invalid input"),
    ],
)
def test_what_yahoo_refuses_is_refused_in_its_words(yahoo, ticker, start, more, status, words):
    answer = yahoo.get(ticker, start, **more)
    assert answer.status_code == status
    assert words in answer.json()["chart"]["error"]["description"]
    assert answer.json()["chart"]["result"] is None


def test_faults_reach_one_ticker_by_its_path(yahoo):
    yahoo.sim.fault("429", path="/v8/finance/chart/SPY", count=1)
    yahoo.sim.fault("500", path="/v8/finance/chart/UUP")
    assert (yahoo.get("SPY").status_code, yahoo.get("UUP").status_code, yahoo.get("QQQ").status_code) == (429, 500, 200)
    assert yahoo.get("SPY").status_code == 200


@pytest.mark.parametrize("shape", ["renamed", "dropped", "texts"])
def test_a_fault_changes_the_schema(yahoo, shape):
    yahoo.sim.fault("yahoo_schema", shape=shape)
    quote = yahoo.result("SPY")["indicators"]["quote"][0]
    assert ("close" not in quote, "volume" not in quote, isinstance(quote["open"][0], str)) == (
        shape == "renamed", shape == "dropped", shape == "texts",
    )  # fmt: skip


def test_a_fault_takes_the_values_out_of_every_other_row(yahoo):
    yahoo.sim.fault("yahoo_nulls", path="/v8/finance/chart/SPY")
    for values in yahoo.result("SPY")["indicators"]["quote"][0].values():
        assert [value is None for value in values[:4]] == [True, False, True, False]
    assert None not in yahoo.result("UUP")["indicators"]["quote"][0]["close"]


def test_a_recorded_folder_is_served_whatever_range_is_asked_for(realdata, clock):
    with Simulator(["SOLUSDT"], clock=clock, yahoo_folder=realdata / "yahoo") as sim:
        for ticker, rows in (("SPY", 390), ("O=F", 1306), ("USDGBP=X", 199), ("^GSPC", 390)):
            result = Yahoo(sim).result(ticker)
            assert (result["meta"]["symbol"], len(result["timestamp"])) == (ticker, rows)
        answer = Yahoo(sim).get("UUP")
        recorded = (realdata / "yahoo" / "chart_error_not_found.json").read_text()
        assert (answer.status_code, answer.text) == (404, recorded.strip())
