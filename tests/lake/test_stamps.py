"""Times as other recorders write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake import stamps
from lake.errors import BadInputError
from lake.windows import moment

T = 1_760_918_400_123_456  # 2025-10-20T00:00:00.123456Z
FIRST, END = 1_230_768_000_000_000, 4_102_444_800_000_000  # 2009, 2100


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1760918400", 1_760_918_400_000_000),
        ("1760918400.123456", T),
        ("1760918400.1", 1_760_918_400_100_000),
        ("1760918400.123456999", T),
        ("1760918400.", 1_760_918_400_000_000),
        ("1760918400123", 1_760_918_400_123_000),
        ("1760918400123.456", T),
        ("1760918400123456", T),
        ("1760918400123456.7", T),
        ("1760918400123456789", T),
        ("2025-10-20T00:00:00Z", 1_760_918_400_000_000),
        ("2025-10-20T00:00:00.1234567Z", T),
        ("2025-10-20T00:00:00.123456789Z", T),
        ("2025-10-20T02:00:00.123456+02:00", T),
        ("2025-10-19 19:30:00.123456-0430", T),
    ],
)
def test_seconds_to_nanoseconds_and_iso_are_told_apart_and_cut_to_microseconds(text, us):
    assert stamps.micros(text) == us


@pytest.mark.parametrize(
    ("value", "us"),
    [
        (1760918400, 1_760_918_400_000_000),
        (1760918400.123456, T),
        (1760918400123.456, T),
        (1.760918400123456e18, T),
        (1760918400123456789, T),
        ("1760918400.123456", T),
    ],
)
def test_a_json_number_is_read_by_its_digits(value, us):
    assert stamps.of_value(value) == us


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "-1760918400", "17609184001", "176091840012", "17609184001234567", "123456789", "1e9", "1760918400,5",
        "0000000001", "1230767999", "4102444800", "4102444800000000", "9999999999999999",
        "2025-10-20T00:00:00", "2025-10-20", "2025-13-20T00:00:00Z", "2008-12-31T23:59:59Z", "१७६०९१८४००",
    ],
)  # fmt: skip
def test_what_is_no_time_or_in_no_plausible_year_is_refused(text):
    with pytest.raises(BadInputError, match="time "):
        stamps.micros(text)


@pytest.mark.parametrize("value", [True, None, [1760918400], {"ts": 1}, float("nan"), float("inf")])
def test_a_value_of_another_type_is_refused(value):
    with pytest.raises(BadInputError, match="time "):
        stamps.of_value(value)


@given(st.integers(FIRST, END - 1), st.integers(0, 999))
def test_one_moment_is_the_same_in_every_unit(us, nanos):
    texts = (
        f"{us // 10**6}.{us % 10**6:06d}", f"{us // 1000}.{us % 1000:03d}", str(us), f"{us}{nanos:03d}",
        moment(us).strftime("%Y-%m-%dT%H:%M:%S.%f") + f"{nanos:03d}Z",
    )  # fmt: skip
    assert {stamps.micros(text) for text in texts} == {us}
