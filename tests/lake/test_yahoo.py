"""Real yfinance over real sockets: recorded payloads, the stand-in's market, and everything that can go wrong."""

import json
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pyarrow as pa
import pytest

from lake import macro_fetch, macro_store, yahoo
from lake.errors import LakeError
from lake.sections import MacroMinute
from lake.windows import Window, micros
from simulator import Simulator
from tests.conftest import content

TUESDAY = datetime(2026, 11, 24, 20, 0, 30, tzinfo=UTC)
CHART = "/v8/finance/chart/"


@pytest.fixture
def stand_in():
    """Start a stand-in whose clock stands at a time."""
    running = []

    def start(now=TUESDAY, **options):
        running.append(Simulator(["SOLUSDT"], seed=7, clock=lambda: micros(now), **options).start())
        return running[-1]

    yield start
    for sim in running:
        sim.stop()


def asked(sim, ticker, days=1.0, now=TUESDAY):
    return yahoo.minutes(ticker, Window(now - timedelta(days=days), now), sim.yahoo_url)


def update(layout, sim, ticker, now, days=None):
    return macro_fetch.update(layout, ticker, MacroMinute(yahoo_url=sim.yahoo_url), now, days)


def payload(realdata, name):
    text = (realdata / "yahoo" / f"chart_1m_2018-05-29_{name}.json").read_text()
    return json.loads(text)["chart"]["result"][0]


# -- recorded payloads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ticker", "name", "rows", "nulls"),
    [("SPY", "SPY", 390, 0), ("AAPL", "AAPL", 390, 0), ("^GSPC", "GSPC", 390, 0), ("O=F", "O_F", 1306, 1155),
     ("USDGBP=X", "USDGBP_X", 199, 61)],
)  # fmt: skip
def test_recorded_payloads_arrive_to_the_last_digit_in_utc(realdata, stand_in, ticker, name, rows, nulls):
    """New York's and London's stamps; `None` in all four prices is a null row."""
    recorded = payload(realdata, name)
    quote = recorded["indicators"]["quote"][0]
    table = asked(stand_in(yahoo_folder=realdata / "yahoo"), ticker)
    assert [micros(ts) // 1_000_000 for ts in table["ts"].to_pylist()] == recorded["timestamp"]
    for column in ("open", "high", "low", "close"):
        assert table[column].to_pylist() == quote[column]
    assert [volume or 0 for volume in quote["volume"]] == table["volume"].to_pylist()
    assert (table.num_rows, table["close"].null_count) == (rows, nulls)
    assert table.schema == yahoo.ANSWER


@pytest.mark.parametrize(
    ("ticker", "new", "nulls"), [("SPY", 390, 0), ("O=F", 151, 1155), ("USDGBP=X", 138, 61), ("^GSPC", 390, 0)]
)
def test_recorded_payloads_are_stored_without_their_null_rows_and_twice_gives_once(
    realdata, stand_in, layout, ticker, new, nulls
):
    sim = stand_in(yahoo_folder=realdata / "yahoo")
    found = update(layout, sim, ticker, TUESDAY)
    assert (found.new, found.revised, found.nulls) == (new, 0, nulls)
    before = content(layout.base)
    again = update(layout, sim, ticker, TUESDAY)
    assert (again.new, again.revised, again.nulls) == (0, 0, nulls)
    assert content(layout.base) == before


# -- the stand-in's market --------------------------------------------------------------------------------------------


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
    table = asked(stand_in(at), ticker, days, at)
    assert table.num_rows == minutes
    found = macro_fetch.update(layout, ticker, MacroMinute(), at, 4, ask=lambda *_: table)
    assert found.missing == 0 if days == 4 else found.new == minutes
    assert found.new + found.nulls == minutes


def test_a_currencys_last_minute_of_the_day_is_there(stand_in):
    """Yahoo ends its trading period at 23:59:00 London; by default yfinance drops the minute that begins then."""
    stamps = asked(stand_in(), "GBPUSD=X")["ts"].to_pylist()
    assert datetime(2026, 11, 23, 23, 59, tzinfo=UTC) in stamps


def test_one_request_a_ticker(stand_in, layout):
    sim = stand_in()
    seen = sim.fault("slow", ms=0, path=CHART)["id"]
    for number, ticker in enumerate(("SPY", "EURUSD=X", "ES=F"), start=1):
        assert update(layout, sim, ticker, TUESDAY).new > 0
        assert next(fault["hits"] for fault in sim.faults.all() if fault["id"] == seen) == number


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


# -- what can go wrong ------------------------------------------------------------------------------------------------


def test_a_ticker_that_does_not_exist_is_named(stand_in):
    with pytest.raises(yahoo.NoSuchTickerError, match=r"no ticker NOPE .*symbol may be delisted"):
        asked(stand_in(), "NOPE")


def test_a_rate_limit_is_told_apart_and_passes(stand_in):
    sim = stand_in()
    sim.fault("429", path=CHART)
    with pytest.raises(yahoo.RateLimitedError, match="too many requests, the last for SPY"):
        asked(sim, "SPY")
    sim.clear_faults()
    assert asked(sim, "SPY").num_rows > 0


def test_a_rate_limit_on_the_crumb_alone_does_not_matter(stand_in):
    sim = stand_in()
    sim.fault("429", path="/v1/")
    assert asked(sim, "SPY").num_rows > 0


@pytest.mark.parametrize(
    ("shape", "expected"),
    [("renamed", "`close`"), ("dropped", "`volume`"), ("texts", "`open` as a list of .* numbers")],
)
def test_a_changed_schema_fails_loudly_says_what_was_expected_and_leaves_the_table_alone(
    stand_in, layout, shape, expected
):
    sim = stand_in()
    update(layout, sim, "SPY", TUESDAY)
    before = content(layout.base)
    sim.fault("yahoo_schema", shape=shape)
    with pytest.raises(yahoo.ChangedSchemaError, match=f"expected {expected}.*nothing of SPY was stored"):
        update(layout, sim, "SPY", TUESDAY, days=7)
    assert content(layout.base) == before


def test_rows_that_turn_null_take_nothing_away(stand_in, layout):
    sim = stand_in()
    first = update(layout, sim, "SPY", TUESDAY)
    before = content(layout.base)
    sim.fault("yahoo_nulls")
    found = update(layout, sim, "SPY", TUESDAY, days=7)
    assert (found.nulls, found.new, found.revised, found.missing) == ((first.new + first.forming + 1) // 2, 0, 0, 0)
    assert content(layout.base) == before


def test_a_server_that_fails_and_a_refusal_are_named_with_their_status(stand_in):
    sim = stand_in()
    with pytest.raises(LakeError, match=r"refuses SPY \(HTTP 422: .*Only 8 days"):
        asked(sim, "SPY", days=9)
    sim.fault("500", path=CHART)
    with pytest.raises(LakeError, match="HTTP 500 for SPY"):
        asked(sim, "SPY")


def test_an_answer_for_a_past_range_is_not_kept_in_memory(stand_in):
    """yfinance keeps answers about ranges in the past, and a failure as well as any."""
    sim = stand_in()
    sim.fault("500", path=CHART, count=2)
    with pytest.raises(LakeError, match="HTTP 500"):
        asked(sim, "SPY", days=2, now=TUESDAY - timedelta(days=1))
    assert asked(sim, "SPY", days=2, now=TUESDAY - timedelta(days=1)).num_rows > 0


def test_no_network_is_told_as_such(stand_in):
    sim = stand_in()
    assert asked(sim, "SPY").num_rows > 0
    sim.stop()
    with pytest.raises(LakeError, match=r"cannot be reached for SPY .*check the network"):
        asked(sim, "SPY")


class Trap:
    """A proxy that takes note of who asks for another host, and answers nothing."""

    def __init__(self, monkeypatch):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"):
            monkeypatch.setenv(name, address)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(name, "127.0.0.1")

    def sprung(self):
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def trap(monkeypatch):
    made = Trap(monkeypatch)
    yield made
    made.listener.close()


def test_no_request_goes_to_another_host(trap, stand_in):
    """Cookie, crumb, consent (after an error yfinance tries the other way to a cookie), zone, chart."""
    sim = stand_in()
    assert asked(sim, "SPY").num_rows > 0
    with pytest.raises(LakeError):
        asked(sim, "NOPE")
    for kind in ("429", "500"):
        sim.fault(kind)
        with pytest.raises(LakeError):
            asked(sim, "SPY")
        sim.clear_faults()
    assert not trap.sprung()
    ask = yahoo._session(sim.yahoo_url).get
    assert ask("https://fc.yahoo.com/?a=b", timeout=5).status_code == 404
    assert not trap.sprung()


def test_the_trap_of_the_test_above_is_one(trap):
    def ask():
        with suppress(LakeError):
            yahoo.minutes("SPY", Window(TUESDAY, TUESDAY + timedelta(1)))

    thread, sprung = threading.Thread(target=ask), 0
    thread.start()
    while thread.is_alive():
        sprung += trap.sprung()
        thread.join(0.01)
    assert sprung


def test_a_redirect_to_another_host_is_not_followed(trap):
    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Redirect)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(LakeError, match="no JSON"):
            yahoo.minutes("SPY", Window(TUESDAY, TUESDAY + timedelta(1)), f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not trap.sprung()


def test_nothing_is_kept_on_disk_and_nothing_is_logged(stand_in, tmp_path):
    """yfinance's own caches are SQLite files in the user's folder, which two processes lock for each other."""
    code = (
        "from datetime import *; from lake import yahoo; from lake.windows import Window\n"
        "now = datetime(2026, 11, 24, 20, tzinfo=UTC); window = Window(now - timedelta(1), now)\n"
        f"print(yahoo.minutes('SPY', window, '{stand_in().yahoo_url}').num_rows)\n"
        f"try: yahoo.minutes('NOPE', window, '{stand_in().yahoo_url}')\n"
        "except yahoo.NoSuchTickerError: print('no such')"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "XDG_CACHE_HOME": str(home), "PATH": "/usr/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert (done.stdout, done.stderr) == ("390\nno such\n", "")
    assert list(home.rglob("*")) == []


# -- payloads by hand -------------------------------------------------------------------------------------------------


def chart(**changes):
    quote = {key: [1.0, None] for key in ("open", "high", "low", "close")} | {"volume": [5, None]}
    result = {"meta": {"dataGranularity": "1m"}, "timestamp": [60, 120], "indicators": {"quote": [quote]}}
    return json.dumps({"chart": {"error": None, "result": [result | changes]}})


def test_a_payload_as_it_must_be_has_its_rows_counted():
    assert yahoo.yahoo_payload.rows("SPY", chart()) == 2
    empty = json.loads(chart(indicators={"quote": [{}]}))
    del empty["chart"]["result"][0]["timestamp"]
    assert yahoo.yahoo_payload.rows("SPY", json.dumps(empty)) == 0
    closed = {"code": "Bad Request", "description": "Data doesn't exist for startDate = 1, endDate = 2"}
    said = json.dumps({"chart": {"result": None, "error": closed}})
    yahoo.yahoo_payload.refuse_failures("SPY", 400, said)
    assert yahoo.yahoo_payload.rows("SPY", said) == 0


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[]", '{"chart": null}', '{"chart": {"result": []}}', '{"chart": {"result": [{"meta": {}}]}}',
        chart(meta=None), chart(meta={"dataGranularity": "1d"}), chart(timestamp=None), chart(timestamp=["60", "120"]),
        chart(timestamp=[60]), chart(timestamp=[60.5, 120]), chart(timestamp={"0": 60}),
        chart(indicators={"quote": [[1]]}),
        chart(indicators={"quote": []}), chart(indicators={"quote": [{"open": [1.0, 2.0]}]}),
    ],
)  # fmt: skip
def test_a_payload_that_is_not_as_it_must_be_is_refused(text):
    with pytest.raises(yahoo.ChangedSchemaError):
        yahoo.yahoo_payload.rows("SPY", text)


@pytest.mark.parametrize("value", ["1.5", True, {"raw": 1.5}, [1.5]])
def test_a_value_that_is_no_number_is_refused(value):
    quote = {key: [1.0, None] for key in ("open", "high", "low", "volume")} | {"close": [1.0, value]}
    with pytest.raises(yahoo.ChangedSchemaError, match="`close` as a list of 2 numbers or nulls"):
        yahoo.yahoo_payload.rows("SPY", chart(indicators={"quote": [quote]}))


def test_yfinances_own_columns_are_checked_too():
    import pandas as pd

    frame = pd.DataFrame({"Open": [1.0]}, index=pd.DatetimeIndex(["2026-01-01"], tz="UTC"))
    with pytest.raises(yahoo.ChangedSchemaError, match="expected High, Low, Close, Volume too"):
        yahoo._table("SPY", frame)
    whole = pd.DataFrame({name: [1.0] for name in ("Open", "High", "Low", "Close", "Volume")}, index=frame.index)
    with pytest.raises(yahoo.ChangedSchemaError, match="no zone"):
        yahoo._table("SPY", whole.tz_localize(None))
    zoned = yahoo._table("SPY", whole.tz_convert("Asia/Tokyo"))
    assert zoned["ts"].to_pylist() == [datetime(2026, 1, 1, tzinfo=UTC)]
    assert isinstance(zoned, pa.Table)
    assert macro_store.Bar
