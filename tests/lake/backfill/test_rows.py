"""A row of the exchange's that is no candle."""

import pytest

from lake import kline_store
from lake.errors import LakeError


def _row(at, value):
    row = [1735689600000, "1", "2", "3", "4", "5", 1735689659999, "5", 6, "7", "8", "0"]
    row[at] = value
    return row


@pytest.mark.parametrize(
    "row",
    [
        {}, [], None, "abcdefghijkl", _row(0, 0)[:11], [*_row(0, 0), "0"], _row(0, 2**62), _row(0, 2**70),
        _row(0, None),
        _row(0, "1735689600000"), _row(1, "NaN"), _row(1, 1.5), _row(1, None), _row(1, ""), _row(6, 2**62), _row(6, 0),
        _row(6, 1735689600), _row(8, True),
    ],
)  # fmt: skip
def test_a_row_that_is_no_candle_is_refused_in_a_line_and_never_taken_for_no_candle(row):
    with pytest.raises(LakeError, match="klines"):
        kline_store.from_rows("SOLUSDT", [row])
