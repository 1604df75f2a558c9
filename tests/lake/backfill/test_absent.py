"""Candles that the exchange has none of: before a listing, in its holes, of pairs that are gone or were never there."""

from datetime import UTC, datetime

import pytest

from lake.errors import LakeError
from lake.windows import MINUTE_US, micros
from tests.lake.backfill.exchange import KLINES


@pytest.mark.parametrize("source", ["rest", "archive", "auto"])
def test_before_a_listing_nothing_is_asked_for_again(exchange, source):
    done = exchange.run("2024-12-20", "2025-01-04", symbol="NEWUSDT", source=source)
    truth = exchange.truth("2024-12-20", "2025-01-04", "NEWUSDT")
    assert exchange.held("NEWUSDT") == truth
    assert (done.added, done.absent) == (len(truth), 0)
    asked = exchange.count(KLINES)
    assert exchange.run("2024-12-20", "2025-01-04", symbol="NEWUSDT", source=source).added == 0
    assert asked() == 0


def test_candles_that_the_exchange_has_none_of_are_noted_once_and_told(exchange):
    start = micros(datetime(2025, 1, 2, 3, 0, tzinfo=UTC))
    exchange.sim.fault("missing_klines", from_us=start, to_us=start + 90 * MINUTE_US)
    for source in ("rest", "archive"):
        day = "2025-01-02" if source == "rest" else "2025-01-01"
        done = exchange.run(day, "2025-01-03", source=source)
    assert len(exchange.held()) == 2 * 1440 - 90
    assert done.absent == 0
    asked = exchange.count(KLINES)
    assert exchange.run("2025-01-01", "2025-01-03").added == 0
    assert asked() == 0


def test_a_young_hole_is_asked_for_again(exchange):
    start = micros(datetime(2025, 1, 4, 9, 0, tzinfo=UTC))
    exchange.sim.fault("missing_klines", from_us=start, to_us=start + 5 * MINUTE_US)
    assert (exchange.run("2025-01-04", "2025-01-05").left, len(exchange.held())) == (5, 745)
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-04", "2025-01-05").added == 5
    assert exchange.held() == exchange.truth("2025-01-04", "2025-01-05")


def test_an_empty_answer_without_a_later_candle_is_no_proof_that_there_is_none(exchange):
    exchange.run("2025-01-01", "2025-01-02")
    exchange.sim.fault("missing_klines")
    done = exchange.run("2025-01-02", "2025-01-03")
    assert (done.absent, done.left) == (0, 1440)
    exchange.sim.clear_faults()
    assert exchange.run("2025-01-02", "2025-01-03").added == 1440


@pytest.mark.parametrize("treatment", ["error", "empty", "history"])
def test_the_history_of_a_delisted_pair_is_had_all_the_same(exchange, treatment):
    exchange.sim.fault("delisting", symbols=["SOLUSDT"], rest=treatment)
    exchange.run("2025-01-01", "2025-01-03", source="auto")
    exchange.sim.clear_faults()
    assert exchange.held() == exchange.truth("2025-01-01", "2025-01-03")


@pytest.mark.parametrize(("source", "words"), [("rest", "source=archive"), ("auto", "neither"), ("archive", "neither")])
def test_a_pair_that_nobody_knows_is_refused_in_a_line(exchange, source, words):
    with pytest.raises(LakeError, match=words):
        exchange.run(symbol="TYPOUSDT", source=source)
