"""coverage's trades_missing against a count by hand, on bars of any ids that an exchange sends."""

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lake import duck
from lake.schemas import NUMBERINGS, UTC_US
from tests.conftest import DAY

STRETCH = 4
"""Seconds; so short that every hole and every swap of neighbours meets the end of one."""


@st.composite
def trades(draw):
    """(id, second): ids run on or have holes; a trade's time may go back by a second beside the one before it."""
    found, number, at = [], draw(st.integers(1, 1000)), 0
    for _ in range(draw(st.integers(1, 30))):
        number += draw(st.sampled_from([1, 1, 1, 1, 2, 4]))
        at += draw(st.sampled_from([0, 0, 1, 1, 3, 9]))
        found.append((number, max(0, at - draw(st.sampled_from([0, 0, 0, 1])))))
    return found


def coverage(*numberings):
    """trades_missing and new_numberings of each stretch, of trades (id, second) of one numbering after the other."""
    con = duck.memory()
    rows = [
        (second, [number for number, at in found if at == second])
        for found in numberings
        for second in sorted({at for _, at in found})
    ]
    starts = [DAY + 1_000_000 * min(at for _, at in found) for found in numberings[1:]]
    bars = pa.table({
        "symbol": ["SOLUSDT"] * len(rows), "window_start": pa.array([DAY + s * 1_000_000 for s, _ in rows], UTC_US),
        "trade_count": [len(ids) for _, ids in rows], "complete": [False] * len(rows),
        "first_trade_id": [min(ids) for _, ids in rows], "last_trade_id": [max(ids) for _, ids in rows],
    })  # fmt: skip
    con.register("bars", bars)
    begun = pa.table([["SOLUSDT"] * len(starts), starts], schema=NUMBERINGS.arrow)
    con.register("numberings", begun)
    con.execute(duck.sql("macros/coverage_of"))
    asked = "coverage_of('bars', 'numberings', $width, []::VARCHAR[], NULL::TIMESTAMPTZ, NULL::TIMESTAMPTZ)"
    counts = "trades_missing, new_numberings"
    return con.sql(f"SELECT {counts} FROM {asked} ORDER BY window_start", params={"width": STRETCH}).fetchall()


@settings(max_examples=100, deadline=None)
@given(found=trades())
@example(found=[(2, 1), (3, 4), (4, 3), (5, 5), (6, 8), (7, 7)]).via("two trades in a row, each a stretch late")
def test_the_sum_is_every_id_between_first_and_last_that_is_not_held(found):
    missing, begun = zip(*coverage(found), strict=True)
    assert min(missing) >= 0
    assert (sum(missing), sum(begun)) == (lacking(found), 0)


def lacking(found):
    ids = {number for number, _ in found}
    return max(ids) - min(ids) + 1 - len(ids)


@settings(max_examples=100, deadline=None)
@given(markets=st.lists(trades(), min_size=2, max_size=4), pauses=st.lists(st.integers(1, 9), min_size=3, max_size=3))
def test_ids_that_start_again_in_whichever_second_of_a_stretch_are_no_hole_and_hide_none(markets, pauses):
    """A new numbering may have the ids of the one before, lower or higher ones, and holes in the very same stretch."""
    end, moved = 0, []
    for found, pause in zip(markets, [0, *pauses], strict=False):
        moved.append([(number, end + pause + at) for number, at in found])
        end = max(at for _, at in moved[-1])
    missing, begun = zip(*coverage(*moved), strict=True)
    assert min(missing) >= 0
    assert (sum(missing), sum(begun)) == (sum(map(lacking, markets)), len(markets) - 1)
