"""Slices that must be complete."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from lake import files
from lake.errors import BadInputError, LakeError
from lake.schemas import BARS
from lake.windows import HOUR_US, Window
from tests.lake.sliceable import DAYS, bars, sliced
from tests.lake.test_views import DAY, put


def complete(layout, seconds=120):
    """Bars that are complete from 2025-10-20T23:59:00Z on."""
    late = datetime(2025, 10, 20, 23, 59, tzinfo=UTC)
    table = bars("SOLUSDT", late, seconds)
    ids = pa.array([None if n == 2 else n - (n > 2) for n in range(seconds)], pa.int64())
    for name in ("first_trade_id", "last_trade_id"):
        table = table.set_column(table.schema.get_field_index(name), BARS.arrow.field(name), ids)
    for day, part in ((late.date(), table.slice(0, 60)), (DAYS.end.date().replace(day=21), table.slice(60))):
        files.write_parquet(layout.day_file("SOLUSDT", day), part, "snappy")
    return table


@pytest.mark.parametrize("tf", ["1s", "1m"])
def test_a_complete_range_is_written_when_it_must_be_complete(layout, tmp_path, tf):
    complete(layout)
    assert sliced(layout, tmp_path / "a", ["SOLUSDT"], tf=tf, require_complete=True).rows in (120, 2)


def test_a_slice_that_must_be_complete_is_refused_with_its_holes_named(layout, tmp_path):
    table = complete(layout)
    after = table.slice(60).filter(pa.array([n not in (5, 6, 40) for n in range(60)]))
    proved = pa.array([n != 30 for n in range(len(after))])
    after = after.set_column(after.schema.get_field_index("complete"), BARS.arrow.field("complete"), proved)
    files.write_parquet(layout.day_file("SOLUSDT", datetime(2025, 10, 21).date()), after, "snappy")  # noqa: DTZ001
    with pytest.raises(LakeError) as refused:
        sliced(layout, tmp_path / "a", ["SOLUSDT", "OPUSDT"], require_complete=True)
    assert str(refused.value).startswith(
        "not proved complete: SOLUSDT 2025-10-21T00:00:05Z/2025-10-21T00:00:07Z (2 s), "
        "SOLUSDT 2025-10-21T00:00:32Z/2025-10-21T00:00:33Z (1 s), "
        "SOLUSDT 2025-10-21T00:00:40Z/2025-10-21T00:00:41Z (1 s), "
        "OPUSDT 2025-10-20T23:59:00Z/2025-10-21T00:01:00Z (120 s): nothing written"
    )
    assert not isinstance(refused.value, BadInputError)
    assert not (tmp_path / "a").exists()


def test_a_hole_after_the_end_is_one_of_the_last_bar_and_a_hole_before_the_first_bar_is_none(layout, tmp_path):
    table = complete(layout, 180)
    gone = table.filter(pa.array([n not in (5, 170) for n in range(180)]))
    late = datetime(2025, 10, 20, 23, 59, tzinfo=UTC)
    for day, part in ((late.date(), gone.slice(0, 59)), (DAYS.end.date().replace(day=21), gone.slice(59))):
        files.write_parquet(layout.day_file("SOLUSDT", day), part, "snappy")
    window = Window.parse("2025-10-20T23:59:02Z", "2025-10-21T00:01:00Z")
    assert sliced(layout, tmp_path / "a", ["SOLUSDT"], window, "1m", require_complete=True).rows == 1
    with pytest.raises(LakeError, match=r"00:01:50Z/2025-10-21T00:01:51Z \(1 s\): nothing written"):
        window = Window.parse("2025-10-20T23:59:02Z", "2025-10-21T00:01:01Z")
        sliced(layout, tmp_path / "b", ["SOLUSDT"], window, "1m", require_complete=True)


def test_of_many_holes_a_handful_is_named_and_the_rest_counted(layout, tmp_path):
    table = complete(layout).slice(60)
    every_other = table.filter(pa.array([n % 2 == 0 for n in range(60)]))
    files.write_parquet(layout.day_file("SOLUSDT", datetime(2025, 10, 21).date()), every_other, "snappy")  # noqa: DTZ001
    with pytest.raises(LakeError, match=r"00:00:09Z/2025-10-21T00:00:10Z \(1 s\), and 25 more: nothing written"):
        sliced(layout, tmp_path / "a", ["SOLUSDT"], require_complete=True)


def test_trade_ids_missing_between_bars_that_say_they_are_complete_are_a_hole(layout, tmp_path):
    table = complete(layout).slice(60)
    ids = pa.array([n + 1000 for n in range(60)], pa.int64())
    for name in ("first_trade_id", "last_trade_id"):
        table = table.set_column(table.schema.get_field_index(name), BARS.arrow.field(name), ids)
    files.write_parquet(layout.day_file("SOLUSDT", datetime(2025, 10, 21).date()), table, "snappy")  # noqa: DTZ001
    with pytest.raises(LakeError, match=r"SOLUSDT 2025-10-21 \(941 trades missing\)"):
        sliced(layout, tmp_path / "a", ["SOLUSDT"], require_complete=True)


def test_klines_that_must_be_complete_name_the_missing_candles(layout, tmp_path):
    put(layout, "SOLUSDT", *range(1436, 1440))
    put(layout, "SOLUSDT", 0, 3, 4, day=DAY + 24 * HOUR_US)
    whole = Window.parse("2025-10-20T23:56:00Z", "2025-10-21T00:01:00Z")
    assert sliced(layout, tmp_path / "a", ["SOLUSDT"], whole, source="klines", require_complete=True).rows == 5
    window = Window.parse("2025-10-20T23:55:30Z", "2025-10-21T00:05:30Z")
    with pytest.raises(LakeError) as refused:
        sliced(layout, tmp_path / "b", ["SOLUSDT", "ADAUSDT"], window, source="klines", require_complete=True)
    assert str(refused.value).startswith(
        "candles missing: SOLUSDT 2025-10-21T00:01:00Z/2025-10-21T00:03:00Z (2 of 1m), "
        "SOLUSDT 2025-10-21T00:05:00Z/2025-10-21T00:06:00Z (1 of 1m), "
        "ADAUSDT 2025-10-20T23:56:00Z/2025-10-21T00:06:00Z (10 of 1m): nothing written"
    )
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("source", ["macro", "funding"])
def test_what_complete_means_is_not_made_up(layout, tmp_path, source):
    with pytest.raises(BadInputError, match=f"require_complete: what a complete slice of {source} would be is not def"):
        sliced(layout, tmp_path / "a", ["SPY"], source=source, require_complete=True)
