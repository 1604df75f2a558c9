"""Real yfinance over real sockets: everything that can go wrong."""

from datetime import timedelta

import pytest

from lake import yahoo
from lake.errors import LakeError
from tests.conftest import content
from tests.lake.yahoo.asking import CHART, TUESDAY, asked, update


def test_a_ticker_that_does_not_exist_is_named(stand_in):
    with pytest.raises(yahoo.NoSuchTickerError, match=r"no ticker NOPE .*symbol may be delisted"):
        asked(stand_in(), "NOPE")


def test_a_rate_limit_is_told_apart_and_passes(stand_in):
    sim = stand_in()
    sim.fault("429", path=CHART)
    with pytest.raises(yahoo.RateLimitedError, match="too many requests, the last for SPY"):
        asked(sim, "SPY")
    sim.clear_faults()
    assert asked(sim, "SPY").rows


def test_a_rate_limit_on_the_crumb_alone_does_not_matter(stand_in):
    sim = stand_in()
    sim.fault("429", path="/v1/")
    assert asked(sim, "SPY").rows


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
    assert asked(sim, "SPY", days=2, now=TUESDAY - timedelta(days=1)).rows


def test_no_network_is_told_as_such(stand_in):
    sim = stand_in()
    assert asked(sim, "SPY").rows
    sim.stop()
    with pytest.raises(LakeError, match=r"cannot be reached for SPY .*check the network"):
        asked(sim, "SPY")
