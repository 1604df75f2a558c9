"""Payloads by hand: what is counted, what is refused."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from lake import macro_store, yahoo


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
