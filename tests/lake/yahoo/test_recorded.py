"""Real yfinance over real sockets: recorded payloads."""

import json

import pytest

from tests.conftest import content
from tests.lake.yahoo.asking import TUESDAY, asked, update


def payload(realdata, name):
    text = (realdata / "yahoo" / f"chart_1m_2018-05-29_{name}.json").read_text()
    return json.loads(text)["chart"]["result"][0]


@pytest.mark.parametrize(
    ("ticker", "name", "nulls"),
    [("SPY", "SPY", 0), ("AAPL", "AAPL", 0), ("^GSPC", "GSPC", 0), ("O=F", "O_F", 1155), ("USDGBP=X", "USDGBP_X", 61)],
)
def test_recorded_payloads_arrive_to_the_last_digit_in_utc(realdata, stand_in, ticker, name, nulls):
    """New York's and London's stamps; `None` in all four prices is a null row."""
    recorded = payload(realdata, name)
    quote = recorded["indicators"]["quote"][0]
    rows = asked(stand_in(yahoo_folder=realdata / "yahoo"), ticker).rows
    assert [row.ts_s for row in rows] == recorded["timestamp"]
    for column in ("open", "high", "low", "close", "volume"):
        assert [getattr(row, column) for row in rows] == quote[column]
    assert (len(rows), sum(row.close is None for row in rows)) == (len(recorded["timestamp"]), nulls)


@pytest.mark.parametrize(
    ("ticker", "new", "nulls"), [("SPY", 390, 0), ("O=F", 151, 1155), ("USDGBP=X", 138, 61), ("^GSPC", 390, 0)]
)
def test_recorded_payloads_are_stored_without_their_null_rows_and_twice_gives_once(
    realdata, stand_in, layout, ticker, new, nulls
):
    sim = stand_in(yahoo_folder=realdata / "yahoo")
    found = update(layout, sim, ticker, TUESDAY)
    assert (found.new, found.revised, found.nulls) == (new, 0, nulls)
    assert (found.refused, found.outside, found.superseded, found.forming) == (0, 0, 0, 0)
    before = content(layout.base)
    again = update(layout, sim, ticker, TUESDAY)
    assert (again.new, again.revised, again.nulls) == (0, 0, nulls)
    assert content(layout.base) == before
