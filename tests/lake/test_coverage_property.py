"""coverage's trades_missing against a count by hand, on bars of any ids that an exchange sends."""

import tempfile
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lake import duck, gaps
from lake.gaps import Gap
from lake.layout import Layout
from lake.schemas import UTC_US
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


def coverage(found, files=()):
    con = duck.memory()
    seconds = sorted({at for _, at in found})
    rows = [[number for number, at in found if at == second] for second in seconds]
    bars = pa.table({
        "symbol": ["SOLUSDT"] * len(seconds), "window_start": pa.array([DAY + s * 1_000_000 for s in seconds], UTC_US),
        "trade_count": [len(ids) for ids in rows], "complete": [False] * len(seconds),
        "first_trade_id": [min(ids) for ids in rows], "last_trade_id": [max(ids) for ids in rows],
    })  # fmt: skip
    con.register("bars", bars)
    con.execute(duck.sql("macros/coverage_of"))
    asked = "coverage_of('bars', $width, []::VARCHAR[], NULL::TIMESTAMPTZ, NULL::TIMESTAMPTZ, $files)"
    values = {"width": STRETCH, "files": [str(path) for path in files]}
    return con.sql(f"SELECT trades_missing FROM {asked} ORDER BY window_start", params=values).fetchall()


@settings(max_examples=100, deadline=None)
@given(found=trades())
@example(found=[(2, 1), (3, 4), (4, 3), (5, 5), (6, 8), (7, 7)]).via("two trades in a row, each a stretch late")
def test_the_sum_is_every_id_between_first_and_last_that_is_not_held(found):
    ids = {number for number, _ in found}
    missing = [count for (count,) in coverage(found)]
    assert min(missing) >= 0
    assert sum(missing) == max(ids) - min(ids) + 1 - len(ids)


@settings(max_examples=50, deadline=None)
@given(found=trades(), chosen=st.integers(0, 2**30))
def test_ids_that_never_existed_are_not_missing(found, chosen):
    at = dict(found)
    pairs = [(low, high) for low, high in pairwise(sorted(at)) if high > low + 1 and at[low] <= at[high]]
    never = [
        Gap(low + 1, high - 1, *(DAY + at[number] * 1_000_000 for number in (low, high)), "as the klines show")
        for place, (low, high) in enumerate(pairs) if chosen >> place & 1
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        gaps.write(layout, "SOLUSDT", never)
        missing = [count for (count,) in coverage(found, [layout.gaps("SOLUSDT")])]
    assert min(missing) >= 0
    assert sum(missing) == max(at) - min(at) + 1 - len(at) - sum(gap.count for gap in never)


@settings(max_examples=50, deadline=None)
@given(found=trades(), again=trades())
def test_ids_that_begin_anew_in_another_stretch_are_no_hole_and_hide_none(found, again):
    pause = (max(at for _, at in found) // STRETCH + 2) * STRETCH
    before = max(number for number, _ in found) + 2000
    moved = [(number + before, at) for number, at in found]
    total = sum(count for (count,) in coverage(moved + [(number, at + pause) for number, at in again]))
    assert total == sum(count for (count,) in coverage(found)) + sum(count for (count,) in coverage(again))
