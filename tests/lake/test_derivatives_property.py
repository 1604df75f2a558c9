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
            added += store.put_fundings(layout, "SOLUSDT", year, table, (start, end), "snappy").added
        added += store.put_interests(layout, "SOLUSDT", interest(range(low, high)), "snappy").added
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


NUMBERS = st.sampled_from([0.0, 1.0, 2.0])
MOMENTS = st.lists(st.tuples(st.integers(0, 2), NUMBERS, NUMBERS), max_size=8)
PAID = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([0, 3, 60_000]), st.sampled_from([-1e-4, 0.0, 1e-4, 2e-4]),
              st.sampled_from([None, 99.5])),
    max_size=8,
)  # fmt: skip


def moments(rows):
    columns = [
        ["SOLUSDT"] * len(rows),
        [START + at * FIVE for at, *_ in rows],
        *([one[n] for one in rows] for n in (1, 2)),
    ]
    types = [pa.string(), pa.int64(), pa.float64(), pa.float64()]
    table = pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=OPEN_INTEREST.names)
    return OPEN_INTEREST.conform(table)


def payments(rows):
    times = [START + at * HOUR + late * 1000 for at, late, *_ in rows]
    columns = [["SOLUSDT"] * len(rows), times, *([one[n] for one in rows] for n in (2, 3))]
    types = [pa.string(), pa.int64(), pa.float64(), pa.float64()]
    table = pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=FUNDING.names)
    return FUNDING.conform(table)


def put_in_turn(folder, pieces, put):
    layout = Layout(Path(folder))
    done = [put(layout, piece) for piece in pieces]
    return layout, sum(one.added for one in done), sum(one.contradictions for one in done)


@settings(max_examples=100, deadline=None)
@given(st.data(), MOMENTS)
def test_open_interest_that_contradicts_itself_makes_the_same_file_in_any_order_and_a_0_never_wins(data, rows):
    def put(layout, piece):
        return store.put_interests(layout, "SOLUSDT", moments(piece), "snappy")

    other = data.draw(st.permutations(rows))
    with tempfile.TemporaryDirectory() as folder:
        one, added, differ = put_in_turn(f"{folder}/one", [rows], put)
        two, added_too, _ = put_in_turn(f"{folder}/two", [[row] for row in other], put)
        assert content(one.base) == content(two.base)
        held = store.interests(one, "SOLUSDT", date(2024, 12, 30))
        by_time = {at: {row[1:] for row in rows if row[0] == at} for at in sorted({row[0] for row in rows})}
        assert added == added_too == len(held) == len(by_time)
        assert differ == sum(len(values) > 1 for values in by_time.values())
        for row, values in zip(held.to_pylist(), by_time.values(), strict=True):
            kept = row["open_interest"], row["open_interest_value"]
            assert kept in values
            assert min(kept) > 0 or all(min(value) == 0 for value in values)


@settings(max_examples=100, deadline=None)
@given(st.data(), PAID)
def test_a_funding_told_twice_some_milliseconds_apart_is_one_in_any_order(data, rows):
    def put(layout, piece):
        return store.put_fundings(layout, "SOLUSDT", 2024, payments(piece), (START, START), "snappy")

    other = data.draw(st.permutations(rows))
    with tempfile.TemporaryDirectory() as folder:
        one, added, differ = put_in_turn(f"{folder}/one", [rows], put)
        two, added_too, _ = put_in_turn(f"{folder}/two", [[row] for row in other], put)
        assert content(one.base) == content(two.base)
        held = store.fundings(one, "SOLUSDT", 2024)
        by_hour = {at: {row[2:] for row in rows if row[0] == at} for at in sorted({row[0] for row in rows})}
        assert added == added_too == len(held) == len(by_hour)
        assert differ == sum(len({rate for rate, _ in values}) > 1 for values in by_hour.values())
        for row, values in zip(held.to_pylist(), by_hour.values(), strict=True):
            kept = row["funding_rate"], row["mark_price"]
            assert kept in values
            assert kept[0] != 0 or not any(rate for rate, _ in values)
            assert kept[1] or not any(rate == kept[0] and mark for rate, mark in values)


@given(RANGES, st.integers(0, COUNT), st.integers(0, COUNT))
def test_gaps_are_what_is_in_none_of_the_ranges(known, start, end):
    found = gaps(start, end, known)
    points = {point for low, high in known for point in range(low, high)}
    assert [point for low, high in found for point in range(low, high)] == sorted(set(range(start, end)) - points)
    assert joined(found) == found
    assert {point for low, high in joined(known) for point in range(low, high)} == points
