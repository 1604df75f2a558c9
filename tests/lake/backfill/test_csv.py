"""The text of the archive's files, read as numbers: forms that mean the same, headers, rows that cannot be read."""

import numpy as np
import pytest

from lake import archive, kline_csv
from lake.errors import LakeError

ROW = "1646438400000,10.5,12,9,11,100,1646441999999,1050,7,50,525,0"
NUMBERS = [1646438400000, 10.5, 12, 9, 11, 100, 1646441999999, 1050, 7, 50, 525, 0]
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


def rows(text):
    found = kline_csv.read(text.encode())
    return [list(row) for row in np.column_stack(found.columns)], found.unread


@pytest.mark.parametrize(
    "text",
    [
        ROW, f"{ROW}\n", f"\n{ROW}\n \n", f"{ROW}\r\n", f"{HEADER}\n{ROW}\n", ROW.replace(",", " , "), f" {ROW} ",
        ROW.replace(",100,", ",1E+2,").replace(",50,", ",5e1,"), ROW.replace("1646438400000", "1646438400000.0"),
        ROW.replace("1646438400000", "1.6464384E+12"), ",".join(f'"{cell}"' for cell in ROW.split(",")),
    ],
)  # fmt: skip
def test_forms_of_a_row_that_mean_the_same_are_the_same(text):
    assert rows(text) == ([NUMBERS], {})


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (f"{ROW},0", "it has 13 fields, expected 12"), (ROW.rpartition(",")[0], "it has 11 fields, expected 12"),
        ("<html>", "it has 1 fields, expected 12"),
    ],
)  # fmt: skip
def test_a_row_of_another_length_is_named_and_the_others_are_read(odd, why):
    found, unread = rows(f"{ROW}\n{odd}\n{ROW}\n")
    assert (found[0], found[2], unread) == (NUMBERS, NUMBERS, {1: why})
    assert np.isnan(found[1][:11]).all()


@pytest.mark.parametrize("cell", ["", "x", "1_000", "0x10x", "--1", "1e"])
def test_a_field_that_is_no_number_is_nan_and_the_text_of_its_row_is_kept(cell):
    odd = ROW.replace(",100,", f",{cell},")
    found = kline_csv.read(f"{ROW}\n{odd}\r\n".encode())
    assert np.isnan(found.columns[5][1]) and found.columns[5][0] == 100
    assert found.lines([1]) == [odd]


def test_a_first_row_with_a_number_in_it_is_no_header_and_never_left_out():
    odd = ROW.replace("1646438400000", "x1646438400000")
    found, _ = rows(f"{odd}\n{ROW}\n")
    assert len(found) == 2 and np.isnan(found[0][0])


@pytest.mark.parametrize("text", ["", "\n\n", HEADER, f"{HEADER}\n"])
def test_a_file_without_a_row_is_refused(text):
    with pytest.raises(LakeError, match="no row"):
        kline_csv.read(text.encode())


@pytest.mark.parametrize(
    ("first", "headed"),
    [
        ("create_time,symbol,sum_open_interest", True), ("2025-10-20 00:05:00,SOLUSDT,1.5", False),
        ("calc_time,funding_interval_hours,last_funding_rate", True), ("1711929600003,8,-0.0001", False),
        (" 1711929600003, 8, .5", False), ('"id","price"', True),
    ],
)  # fmt: skip
def test_a_header_is_told_by_having_no_number(first, headed):
    text = f"{first}\n1,2,3\n".encode()
    assert archive.headless(text) == (b"1,2,3\n" if headed else text)
