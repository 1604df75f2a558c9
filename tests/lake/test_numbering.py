"""Where a new numbering of trade ids begins: small sequences of seconds in, the first seconds of numberings out."""

import pytest

from lake import numbering
from lake.numbering import AROUND, Fall, Numberings, Traded
from lake.windows import HOUR_US


def starts(*ids):
    """The places at which a numbering begins, of seconds with these ids: a number, or all that the second has."""
    seconds = [Traded(at, min(_all(one)), max(_all(one))) for at, one in enumerate(ids)]
    falls = [
        Fall(tuple(seconds[max(0, at - AROUND) : at]), tuple(seconds[at : at + AROUND]))
        for at in range(1, len(seconds))
        if seconds[at].high <= seconds[at - 1].high
    ]
    return [fall.second for fall in numbering.starts(falls)]


def _all(one):
    return one if isinstance(one, list) else [one]


OLD = tuple(range(5000, 5020))
"""Twenty seconds of the numbering before."""


@pytest.mark.parametrize("first", [0, 1, 4000, 4990, 5000])
def test_ids_that_fall_and_go_on_from_there_begin_a_numbering(first):
    assert starts(*OLD, *range(first, first + 20)) == [20]


def test_a_few_trades_are_enough_on_both_sides():
    assert starts(5000, 5001, 5002, 1, 2) == [3]
    assert starts(1, 2, 3, 1, 2, 3) == [3]
    assert starts(1, 2, 1, 2) == [2]


def test_the_trades_of_one_second_are_more_than_one_line():
    assert starts(*OLD, [0, 1, 2]) == [20]
    assert starts([5000, 5001], [0, 1]) == [1]


def test_one_line_is_no_numbering_on_either_side():
    assert starts(*OLD, 17) == []
    assert starts(9, 5, 6, 7) == []
    assert starts(7, 7) == []


def test_ids_that_skip_upwards_are_a_hole_and_no_numbering():
    assert starts(*OLD, *range(9000, 9020)) == []


@pytest.mark.parametrize("stray", [17, 4999, 5009, 9000])
@pytest.mark.parametrize("count", [1, 5])
def test_seconds_with_wrong_ids_among_right_ones_begin_none(stray, count):
    assert starts(*OLD[:10], *[stray + n for n in range(count)], *OLD[10:], *range(5020, 5030)) == []


def test_trades_whose_times_go_back_by_a_few_seconds_begin_none():
    assert starts(1, 3, 4, 2, 6, 5, 9, 8, 7, 10, 11) == []


@pytest.mark.parametrize("stray", [3, 5003, 9000])
def test_a_stray_line_beside_the_start_does_not_move_it(stray):
    assert starts(*OLD, stray, *range(20)) in ([20], [21])
    assert starts(*OLD, 0, 1, stray, *range(2, 20)) == [20]
    assert starts(*OLD[:-2], stray, *OLD[-2:], *range(20)) == [21]


def test_ids_can_start_again_any_number_of_times_and_climb_beyond_those_before():
    assert starts(*OLD, *range(5), *range(10), *range(3)) == [20, 25, 35]
    assert starts(10, 11, 12, *range(40)) == [3]


def test_an_hour_has_a_piece_for_each_numbering_in_it():
    numberings = Numberings((HOUR_US + 5, HOUR_US + 9, 3 * HOUR_US))
    assert numberings.pieces(0) == [(0, HOUR_US)]
    assert numberings.pieces(HOUR_US) == [
        (HOUR_US, HOUR_US + 5),
        (HOUR_US + 5, HOUR_US + 9),
        (HOUR_US + 9, 2 * HOUR_US),
    ]
    assert numberings.pieces(3 * HOUR_US) == [(3 * HOUR_US, 4 * HOUR_US)]
    assert numberings.bounds(HOUR_US + 5) == (HOUR_US + 5, HOUR_US + 9)
    assert numberings.bounds(HOUR_US + 4)[1] == HOUR_US + 5
    assert numberings.bounds(2 * HOUR_US) == (HOUR_US + 9, 3 * HOUR_US)
