"""The script as Streamlit runs it, without a browser."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gui import theme
from lake import health, health_runs
from tests.gui.conftest import ROOT
from tests.gui.small import START, derivatives, macro, seconds, write


@pytest.fixture
def app(layout, monkeypatch):
    monkeypatch.setenv("LAKE_BASE_PATH", str(layout.base))
    monkeypatch.setenv("LAKE_DOCS__PORT", "1")
    st.cache_resource.clear()

    def run(**params):
        test = AppTest.from_file(str(ROOT / "gui" / "app.py"), default_timeout=60)
        test.query_params.update(params)
        test.run()
        assert not test.exception, test.exception
        return test

    return run


@pytest.fixture
def filled(layout):
    write(layout, seconds(7200))
    write(layout, seconds(7200, symbol="SUIUSDT", price=3.0))


def captions(test):
    return " | ".join(one.value for one in test.caption)


def charts(test):
    return [one.proto.alt for one in test.get("vega_lite_chart")]


def test_an_empty_lake_says_what_to_start(app, layout):
    test = app()
    assert test.subheader[0].value == "This lake has no bars yet"
    said = " ".join(one.value for one in test.code)
    assert all(command in said for command in ("make demo", "crypto-lake collect-live", "crypto-lake transform-hour"))


def test_what_is_recorded_and_not_yet_built_is_told(app, raw):
    raw.put(raw.trade(1, 1))
    assert "SOLUSDT" in app().info[0].value


def test_the_first_page_is_the_newest_hour_of_the_first_symbol(app, filled):
    test = app()
    assert "60 1m bars of SOLUSDT · 2025-10-20 11:00:00 to 2025-10-20 12:00:00 UTC" in captions(test)
    assert test.metric[0].label == "Last"
    assert test.query_params["symbol"] == "SOLUSDT"


def test_symbol_timeframe_and_range_are_chosen_and_go_into_the_address(app, filled):
    test = app()
    test.selectbox(key="symbol").select("SUIUSDT").run()
    test.segmented_control(key="tf").set_value("5m").run()
    test.segmented_control(key="range").set_value("6h").run()
    assert "24 5m bars of SUIUSDT" in captions(test)
    address = dict(test.query_params)
    assert address == {"symbol": "SUIUSDT", "tf": "5m", "range": "6h"}
    assert captions(app(**address)) == captions(test)


def test_typed_times_win_and_bad_ones_are_one_line(app, filled):
    test = app(start="2025-10-20T10:00:00Z", end="2025-10-20T10:30:00Z")
    assert "30 1m bars of SOLUSDT · 2025-10-20 10:00:00 to 2025-10-20 10:30:00 UTC" in captions(test)
    test.text_input(key="end").set_value("soon").run()
    assert len(test.error) == 1
    assert "soon" in test.error[0].value
    assert "\n" not in test.error[0].value
    test.segmented_control(key="range").set_value("15m").run()
    assert not test.error
    assert "15 1m bars" in captions(test)


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "![](http://evil/x.png)", "../../etc/passwd", "SOL'--", 'SOL"', "SOL[1]", "SOL\0USDT",
     "SOL\u202eTDSU", "\u200fSOLUSDT", "/etc/passwd", "*", "SOLUSDT/../../x", "file:///etc/passwd", ":red[x]", "$x$"],
)  # fmt: skip
def test_a_hostile_symbol_in_the_address_is_refused_by_name_as_text(app, filled, text):
    test = app(symbol=text)
    (error,) = test.error
    assert error.value.replace("\\", "").startswith(f"Not taken from the address: symbol {text!r}".replace("\\", ""))
    assert "](" not in error.value.replace("\\]\\(", "")
    assert "<" not in error.value.replace("\\<", "")
    assert "60 1m bars of SOLUSDT" in captions(test)


@pytest.mark.parametrize("name", ["versus", "ticker", "start", "page"])
def test_no_input_of_the_address_opens_a_file_outside_the_lake(app, filled, tmp_path, name):
    (tmp_path / "outside.parquet").write_bytes(b"PAR1")
    test = app(**{name: "../outside.parquet"})
    assert len(test.error) == 1
    assert test.error[0].value.startswith("Not taken from the address")
    assert "60 1m bars of SOLUSDT" in captions(test)


def test_a_symbol_that_is_not_in_the_lake_is_told(app, filled):
    assert "NEARUSDT: has no bars in this lake" in app(symbol="NEARUSDT").error[0].value.replace("\\", "")


def test_a_range_too_long_for_its_timeframe_is_coarser_and_says_so(app, filled):
    test = app(tf="1s", range="6h")
    assert "Shown as 1m bars" in test.info[0].value
    assert "120 1m bars" in captions(test)


def test_a_missing_day_is_said(app, filled):
    test = app(start="2025-10-18", end="2025-10-19")
    assert "0 1m bars of SOLUSDT" in captions(test)
    assert "no bars of this range" in test.info[0].value


def test_a_second_symbol_is_rebased_beside_the_first(app, filled):
    assert "SOLUSDT and SUIUSDT, rebased to 100" in [one.value for one in app(versus="SUIUSDT").subheader]


def test_funding_and_open_interest_are_drawn_by_the_hour(app, filled, layout):
    derivatives(layout, 2)
    test = app(page="Derivatives")
    assert "1 hours of SOLUSDT · 2025-10-20 11:00:00 to 2025-10-20 12:00:00 UTC" in captions(test)
    test.segmented_control(key="range").set_value("6h").run()
    assert "2 hours of SOLUSDT · 2025-10-20 10:00:00 to 2025-10-20 12:00:00 UTC" in captions(test)
    assert charts(test) == [
        "Funding rate in force", "Open interest, in the base currency", "Mark price at the last funding",
    ]  # fmt: skip
    assert not test.error


def test_macro_and_dxy_are_drawn_beside_the_coin(app, filled, layout):
    macro(layout, 120)
    test = app(page="Macro", ticker="SPY")
    assert charts(test) == ["SOLUSDT, close", "Synthetic DXY, of its six rates", "SPY, close"]
    assert "60 minutes of SPY · 2025-10-20 11:00:00 to 2025-10-20 12:00:00 UTC" in captions(test)
    test.selectbox(key="ticker").select("EURUSD=X").run()
    assert "60 minutes of EURUSD\\=X" in captions(test)
    assert not test.error


@pytest.mark.parametrize("ticker", ["M&M.NS", "^VIX", "NIFTY_FIN_SERVICE.NS", "AAPL251219C00100000"])
def test_a_ticker_of_any_name_whose_hours_are_not_known_is_drawn(app, filled, layout, ticker):
    macro(layout, 120, tickers=[ticker])
    test = app(page="Macro", ticker=ticker)
    assert charts(test) == ["SOLUSDT, close", f"{ticker}, close"]
    assert f"60 minutes of {theme.plain(ticker)} · 2025-10-20 11:00:00" in captions(test)
    assert not test.error


def test_a_typed_range_leaves_no_button_pressed(app, filled):
    test = app(start="2025-10-20T10:00:00Z", end="2025-10-20T10:30:00Z")
    assert test.segmented_control(key="range").value is None
    test.segmented_control(key="range").set_value("15m").run()
    assert test.segmented_control(key="range").value == "15m"
    assert test.text_input(key="start").value == ""


@pytest.mark.parametrize("page", ["Derivatives", "Macro", "Quality", "Health"])
def test_every_page_explains_what_is_not_there(app, filled, page):
    test = app(page=page)
    assert "crypto-lake " in captions(test) + " ".join(one.value for one in test.info)


def test_a_folder_that_is_nobodys_does_not_break_the_page(app, filled, layout):
    for root, name in ((layout.parquet, "A" * 41), (layout.macro, "lost+found")):
        (root / name).mkdir(parents=True)
    test = app(page="Macro")
    assert not test.error
    assert test.selectbox(key="symbol").options == ["SOLUSDT", "SUIUSDT"]


def test_a_part_that_has_died_does_not_read_running(app, filled, layout):
    path = layout.logs / "health" / "heartbeat.json"
    path.parent.mkdir(parents=True)
    for said, age, word in (("running", 5, "running"), ("running", 91, "silent"), ("starting", 5, "starting"),
                            ("starting", 91, "silent")):  # fmt: skip
        beat = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
        path.write_text(json.dumps({"ts_utc": beat, "collector": {"status": said, "last_latency_p50_ms": 42}}))
        test = app(page="Health")
        assert word in test.dataframe[0].value["status"][0]
        assert test.metric[0].value == "42"


def test_what_is_wrong_is_told_with_its_remedy_and_every_flow_has_a_row(app, filled, layout):
    now = datetime.now(UTC)
    health.say(layout, "collector", "error", now, last_error="disk full")
    health_runs.end(layout, "compact_day", health_runs.begin(layout, "compact_day", now), now, 9, None)
    health.write(layout, now)
    test = app(page="Health")
    assert [one for one in test.error if "disk full" in one.value and "crypto\\-lake up" in one.value]
    shown = dict(zip(test.dataframe[0].value["part"], test.dataframe[0].value["status"], strict=True))
    assert (shown["collector"], shown["compact day"], shown["worker"]) == ("error", "stopped", "stopped")


def test_a_torn_file_is_one_line(app, filled, layout):
    layout.hour_file("SOLUSDT", START + timedelta(hours=1)).write_bytes(b"torn")
    assert "cannot be read" in app().error[0].value


def test_bad_settings_are_one_line(app, monkeypatch):
    monkeypatch.setenv("LAKE_DASHBOARD__PORT", "soon")
    assert "LAKE" in app().error[0].value
