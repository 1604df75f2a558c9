"""Any order of overlapping answers makes the same files."""

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from lake import derivatives_store as store
from lake.layout import Layout
from lake.ranges import gaps, joined
from lake.schemas import FUNDING, OPEN_INTEREST
from lake.windows import micros
from tests.conftest import content

START = micros(datetime(2024, 12, 30, tzinfo=UTC))
HOUR, FIVE = 3_600_000_000, 300_000_000
COUNT = 100
RANGES = st.lists(st.tuples(st.integers(0, COUNT), st.integers(0, COUNT)).map(lambda two: tuple(sorted(two))))


def funding(numbers, mark=True):
    times = [START + number * HOUR + number % 7 * 1000 for number in numbers]
    rates, marks = [number / 1e6 for number in numbers], [number / 8 if mark else None for number in numbers]
    columns = [["SOLUSDT"] * len(times), times, rates, marks]
    types = [FUNDING.arrow.field(name).type for name in FUNDING.names]
    arrays = [
        pa.array(column, pa.int64() if pa.types.is_timestamp(kind) else kind)
        for column, kind in zip(columns, types, strict=True)
    ]
    return FUNDING.conform(pa.table(arrays, names=FUNDING.names))


def interest(numbers):
    times = pa.array([START + 86_400_000_000 - 50 * FIVE + number * FIVE for number in numbers], pa.int64())
    values = pa.array([number / 3 for number in numbers], pa.float64())
    symbols = pa.array(["SOLUSDT"] * len(numbers), pa.string())
    return OPEN_INTEREST.conform(pa.table([symbols, times, values, values], names=OPEN_INTEREST.names))


def fill(layout, pieces):
    added = 0
    for (low, high), mark in pieces:
        for year, (start, end) in store.years([(START + low * HOUR, START + high * HOUR)] if low < high else []):
            table = funding(range(low, high), mark)
            table = table.filter(pa.array([at.year == year for at in table["funding_time"].to_pylist()]))
            added += store.put_fundings(layout, "SOLUSDT", year, table, (start, end), "snappy")
        added += store.put_interests(layout, "SOLUSDT", interest(range(low, high)), "snappy")
    return added


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_of_overlapping_answers_makes_the_same_files(data):
    pieces = [(piece, data.draw(st.booleans())) for piece in data.draw(RANGES)]
    other = data.draw(st.permutations(pieces + data.draw(st.lists(st.sampled_from(pieces)) if pieces else st.just([]))))
    with tempfile.TemporaryDirectory() as folder:
        one, two = Layout(Path(folder) / "one"), Layout(Path(folder) / "two")
        assert fill(one, pieces) == fill(two, other)
        assert content(one.base) == content(two.base)
        held = sorted({number for (low, high), _ in pieces for number in range(low, high)})
        marked = {number for (low, high), mark in pieces if mark for number in range(low, high)}
        found = [row for year in (2024, 2025) for row in store.fundings(one, "SOLUSDT", year).to_pylist()]
        assert [row["funding_rate"] for row in found] == [number / 1e6 for number in held]
        assert [row["mark_price"] for row in found] == [number / 8 if number in marked else None for number in held]
        days = [store.interests(one, "SOLUSDT", date(2024, 12, day)) for day in (30, 31)]
        assert pa.concat_tables(days).equals(interest(held))


@given(RANGES, st.integers(0, COUNT), st.integers(0, COUNT))
def test_gaps_are_what_is_in_none_of_the_ranges(known, start, end):
    found = gaps(start, end, known)
    points = {point for low, high in known for point in range(low, high)}
    assert [point for low, high in found for point in range(low, high)] == sorted(set(range(start, end)) - points)
    assert joined(found) == found
    assert {point for low, high in joined(known) for point in range(low, high)} == points
