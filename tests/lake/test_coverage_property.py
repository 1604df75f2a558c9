"""coverage's trades_missing against a count by hand, on bars of any ids that an exchange sends."""

import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lake import duck, gaps
from lake.gaps import NEW_NUMBERING, Gap
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


def gap(first, last, start, end):
    return Gap(first, last, DAY + start * 1_000_000, DAY + end * 1_000_000, "as a test says")


def holes(found):
    """The stretches of ids that are missing between two trades whose times go forward."""
    at = dict(found)
    pairs = [(low, high) for low, high in pairwise(sorted(at)) if high > low + 1 and at[low] <= at[high]]
    return [gap(low + 1, high - 1, at[low], at[high]) for low, high in pairs]


def lacking(found):
    ids = {number for number, _ in found}
    return max(ids) - min(ids) + 1 - len(ids)


def bars_of(found):
    """(second, ids) of trades (id, second) of one numbering."""
    return [(second, [number for number, at in found if at == second]) for second in sorted({at for _, at in found})]


def coverage_of(rows, never=(), seams=()):
    """trades_missing of each stretch, of bars (second, ids), with ids that never existed and new numberings."""
    con = duck.memory()
    bars = pa.table({
        "symbol": ["SOLUSDT"] * len(rows), "window_start": pa.array([DAY + s * 1_000_000 for s, _ in rows], UTC_US),
        "trade_count": [len(ids) for _, ids in rows], "complete": [False] * len(rows),
        "first_trade_id": [min(ids) for _, ids in rows], "last_trade_id": [max(ids) for _, ids in rows],
    })  # fmt: skip
    con.register("bars", bars)
    for name in ("gaps_in", "starts_in", "coverage_of"):
        con.execute(duck.sql(f"macros/{name}"))
    asked = "coverage_of('bars', $width, []::VARCHAR[], NULL::TIMESTAMPTZ, NULL::TIMESTAMPTZ, $files)"
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        gaps.write(layout, "SOLUSDT", never)
        gaps.write(layout, "SOLUSDT", [replace(seam, state=NEW_NUMBERING) for seam in seams], NEW_NUMBERING)
        values = {"width": STRETCH, "files": [str(layout.gaps("SOLUSDT"))] if never or seams else []}
        rows = con.sql(f"SELECT trades_missing FROM {asked} ORDER BY window_start", params=values).fetchall()
    return [count for (count,) in rows]


@settings(max_examples=100, deadline=None)
@given(found=trades())
@example(found=[(2, 1), (3, 4), (4, 3), (5, 5), (6, 8), (7, 7)]).via("two trades in a row, each a stretch late")
def test_the_sum_is_every_id_between_first_and_last_that_is_not_held(found):
    missing = coverage_of(bars_of(found))
    assert min(missing) >= 0
    assert sum(missing) == lacking(found)


@settings(max_examples=50, deadline=None)
@given(found=trades(), chosen=st.integers(0, 2**30))
def test_ids_that_never_existed_are_not_missing(found, chosen):
    never = [one for place, one in enumerate(holes(found)) if chosen >> place & 1]
    missing = coverage_of(bars_of(found), never)
    assert min(missing) >= 0
    assert sum(missing) == lacking(found) - sum(one.count for one in never)


@settings(max_examples=100, deadline=None)
@given(
    markets=st.lists(trades(), min_size=2, max_size=4), pauses=st.lists(st.integers(1, 9), min_size=3, max_size=3),
    chosen=st.integers(0, 2**30),
)  # fmt: skip
def test_ids_that_start_again_in_whichever_second_of_a_stretch_are_no_hole_and_hide_none(markets, pauses, chosen):
    """A new numbering may have the ids of the one before, lower or higher ones, and holes in the very same stretch."""
    end, bars, seams, never = 0, [], [], []
    for found, pause in zip(markets, [0, *pauses], strict=False):
        moved = [(number, end + pause + at) for number, at in found]
        start, end = min(at for _, at in moved), max(at for _, at in moved)
        seams += [gap(1, 0, start - 1, start)] if bars else []
        bars += bars_of(moved)
        never += [one for place, one in enumerate(holes(moved)) if chosen >> (len(bars) + place) % 30 & 1]
    missing = coverage_of(bars, never, seams)
    assert min(missing) >= 0
    assert sum(missing) == sum(map(lacking, markets)) - sum(one.count for one in never)
