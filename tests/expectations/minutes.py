"""Ten minutes of bars beside their klines, and what R7 says of them."""

from datetime import timedelta

import pytest

from tests.expectations.candles import bars_of, candles_of, trades, write_candles
from tests.expectations.small import START, write_hours

MINUTES = 10
TFS = pytest.mark.parametrize("tf", ["1s", "1m"])


def prepare(layout, minutes=MINUTES, *, skip=(), mine=lambda rows: rows, theirs=lambda rows: rows):
    given = trades(minutes, skip=skip)
    write_hours(layout, mine(bars_of(given)))
    write_candles(layout, theirs(candles_of(given, minutes)))


def at(minute):
    return (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def rule(outcome):
    return next(one for one in outcome.rules if one.rule == "R7")


def reasons(outcome):
    return outcome.to_json()["parity"]["reasons"]


GONE = {"volume_base": 0.0, "volume_quote": 0.0, "taker_buy_base": 0.0, "taker_buy_quote": 0.0, "trade_count": 0,
        "vwap": None, "first_trade_id": None, "last_trade_id": None}  # fmt: skip
