"""Payloads by hand: what is read, what is refused."""

import json

import pytest

from lake import yahoo, yahoo_payload
from lake.errors import LakeError
from lake.yahoo_payload import Answer, Row, Session

META = {"symbol": "SPY", "dataGranularity": "1m"}


def chart(gone=(), **changes):
    quote = {key: [1.0, None] for key in ("open", "high", "low", "close")} | {"volume": [5, None]}
    result = {"meta": META, "timestamp": [60, 120], "indicators": {"quote": [quote]}} | changes
    for key in gone:
        del result[key]
    return json.dumps({"chart": {"error": None, "result": [result]}})


def read(text, ticker="SPY", status=200):
    return yahoo_payload.read(ticker, status, text)


def test_a_payload_has_its_rows_as_they_stand():
    rows = (Row(60, 1.0, 1.0, 1.0, 1.0, 5), Row(120, None, None, None, None, None))
    assert read(chart()) == Answer(rows, None)


@pytest.mark.parametrize(
    "text",
    [
        chart(indicators={"quote": [{}]}, gone=["timestamp"]),
        chart(indicators={"quote": [{}]}, timestamp=[]),
        chart(indicators={"quote": [{}]}, timestamp=None),
        chart(indicators={"quote": [{key: [] for key in yahoo_payload.COLUMNS}]}, gone=["timestamp"]),
        json.dumps({"chart": {"result": None, "error": {
            "code": "Bad Request", "description": "Data doesn't exist for startDate = 1, endDate = 2"}}}),
    ],
)  # fmt: skip
def test_where_the_market_was_closed_there_is_no_row(text):
    assert read(text, status=400 if '"error": {' in text else 200) == Answer()


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[]", '{"chart": null}', '{"chart": {"result": []}}', '{"chart": {"result": [{"meta": {}}]}}',
        chart(meta=None), chart(meta=META | {"dataGranularity": "1d"}), chart(timestamp=None),
        chart(timestamp=["60", "120"]), chart(timestamp=[60]), chart(timestamp=[60.5, 120]), chart(timestamp={"0": 60}),
        chart(timestamp=[True, 120]), chart(indicators={"quote": [[1]]}),
        chart(indicators={"quote": []}), chart(indicators={"quote": [{"open": [1.0, 2.0]}]}),
        chart(meta={"dataGranularity": "1m"}), chart(meta=META | {"symbol": None}), chart(meta=META | {"symbol": 7}),
    ],
)  # fmt: skip
def test_a_payload_that_is_not_as_it_must_be_is_refused(text):
    with pytest.raises(yahoo.ChangedSchemaError if text != "[]" else LakeError):
        read(text)


@pytest.mark.parametrize("text", ["", "no", "[" * 100_000, '{"a": ' + "9" * 5000 + "}"])
def test_what_is_no_json_is_one_line(text):
    with pytest.raises(LakeError, match="with no JSON") as error:
        read(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", ["1.5", True, {"raw": 1.5}, [1.5]])
def test_a_value_that_is_no_number_is_refused(value):
    quote = {key: [1.0, None] for key in ("open", "high", "low", "volume")} | {"close": [1.0, value]}
    with pytest.raises(yahoo.ChangedSchemaError, match="`close` as a list of 2 numbers or nulls"):
        read(chart(indicators={"quote": [quote]}))


@pytest.mark.parametrize(
    ("asked", "said"),
    [("SPY", "spy"), ("USDJPY=X", "JPY=X"), ("JPY=X", "USDJPY=X"), ("M&M.NS", "M&M.NS"), ("^VIX", "^VIX")],
)
def test_one_ticker_by_two_of_yahoos_names_is_one(asked, said):
    assert len(read(chart(meta=META | {"symbol": said}), asked).rows) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [("SPY", "QQQ"), ("FB", "META"), ("USDJPY=X", "USDCHF=X"), ("EURUSD=X", "USD=X"), ("JPY=X", "JPY"), ("M&M.NS", "M"),
     ("SPY", ""), ("SPY", "\x1b[2J<script>")],
)  # fmt: skip
def test_an_answer_about_another_ticker_is_refused_whole(asked, said):
    for text in (chart(meta=META | {"symbol": said}), chart(meta=META | {"symbol": said}, timestamp=[])):
        with pytest.raises(yahoo.OtherTickerError, match="when asked for") as error:
            read(text, asked)
        assert str(error.value).isprintable()


PERIOD = {"timezone": "EST", "start": 1000, "end": 2000, "gmtoffset": -18_000}
SESSION = Session(1000, 2000, -18_000)


@pytest.mark.parametrize(
    ("periods", "sessions"),
    [
        ([[PERIOD], [PERIOD]], (SESSION, SESSION)),
        ([[PERIOD, PERIOD]], (SESSION, SESSION)),
        ([PERIOD], (SESSION,)),
        ({"pre": [[PERIOD]], "regular": [[PERIOD]], "post": [[PERIOD]]}, (SESSION,)),
        ({"pre": [], "post": []}, None),
        ({"pre": [[PERIOD]], "post": [[PERIOD]]}, None),
        ({"pre": [], "regular": [], "post": []}, None),
        ({}, None), ([], None), ([[]], None), (None, None), ("09:30", None), (7, None), ([None], None),
        ([[None]], None), ([[PERIOD | {"start": None}]], None), ([[{"start": 1000}]], None), ([[["deep"]]], None),
        ({"regular": {}}, None),
        ([[{"start": 1000, "end": 2000}]], (Session(1000, 2000, 0),)),
    ],
)  # fmt: skip
def test_trading_periods_of_any_shape_cost_no_row(periods, sessions):
    assert read(chart(meta=META | {"tradingPeriods": periods})).sessions == sessions
    assert len(read(chart(meta=META | {"tradingPeriods": periods})).rows) == 2


@pytest.mark.parametrize("kind", ["CURRENCY", "CRYPTOCURRENCY", "FUTURE"])
def test_a_market_around_the_clock_has_no_sessions(kind):
    """Yahoo names each of its days, but for its last minute."""
    assert read(chart(meta=META | {"tradingPeriods": [[PERIOD]], "instrumentType": kind})).sessions is None


@pytest.mark.parametrize(
    ("ticker", "path"),
    [("SPY", "SPY"), ("^VIX", "%5EVIX"), ("EURUSD=X", "EURUSD=X"), ("M&M.NS", "M&M.NS"), ("BRK-B", "BRK-B"),
     ("NIFTY_FIN_SERVICE.NS", "NIFTY_FIN_SERVICE.NS"), ("../x?y#z%41 ;", "..%2Fx%3Fy%23z%2541%20%3B")],
)  # fmt: skip
def test_a_ticker_is_one_segment_of_the_path(ticker, path):
    assert yahoo.path(ticker) == f"/v8/finance/chart/{path}"
