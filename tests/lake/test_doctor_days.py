"""What doctor says of quarantine and days."""

import os
from datetime import UTC, date, datetime

import pyarrow as pa

from lake import compact, doctor_data, doctor_disk, files, quarantine, transform
from lake.layout import Layout
from lake.schemas import BARS, UTC_US
from lake.windows import SECOND_US, moment
from tests.conftest import DAY

DATE = date(2025, 10, 20)


def test_the_quarantine_is_counted_with_its_first_day(layout):
    assert doctor_data.quarantine(layout).state == "ok"
    part = layout.raw_day("SOLUSDT", DATE) / "part_0001.jsonl"
    quarantine.put(layout, part, [(0, "torn", b"{"), (9, "torn", b"x")])
    frames = layout.quarantine / "frames" / "2025-10-20" / "part_0001.jsonl"
    frames.parent.mkdir(parents=True)
    frames.write_bytes(b"one\ntorn")
    os.utime(frames, (DAY / 1e6, DAY / 1e6))
    (layout.quarantine / "archive").mkdir()
    (layout.quarantine / "archive" / "a.zip").write_bytes(b"\n\n\n")
    (layout.quarantine / "archive" / "a.zip.reason.txt").write_text("why\n")
    found = doctor_data.quarantine(layout)
    assert found.state == "warn"
    assert "5 records in 3 files since 2025-10-20" in found.said


def day_of_bars(day=0, *, lacking=(), incomplete=()):
    """A whole day, so many after 2025-10-20, of seconds with one trade each, but those that are lacking."""
    seconds = [n for n in range(86_400) if n not in lacking]
    times = pa.array([DAY + (day * 86_400 + n) * SECOND_US for n in seconds], UTC_US)
    ids = pa.array([1000 + day * 86_400 + n for n in seconds], pa.int64())
    values = {
        "symbol": pa.array(["SOLUSDT"] * len(seconds)), "window_start": times,
        "trade_count": pa.array([1] * len(seconds)),
        "first_trade_id": ids, "last_trade_id": ids, "complete": pa.array([n not in incomplete for n in seconds]),
    }  # fmt: skip
    empty = pa.nulls(len(seconds), pa.float64())
    ones = pa.array([1.0] * len(seconds))
    columns = [values.get(name, empty if name in ("bid", "ask", "spread") else ones) for name in BARS.names]
    return BARS.conform(pa.table(columns, BARS.names))


def put_day(layout, day, table, symbol="SOLUSDT"):
    files.write_parquet(layout.day_file(symbol, day), table, "zstd")


def test_a_day_is_proved_by_its_footer_alone(layout):
    put_day(layout, DATE, day_of_bars())
    assert doctor_data.proved(layout, "SOLUSDT", DATE)
    put_day(layout, DATE, day_of_bars(incomplete={7}))
    assert not doctor_data.proved(layout, "SOLUSDT", DATE)
    put_day(layout, DATE, day_of_bars(lacking={7}))
    assert not doctor_data.proved(layout, "SOLUSDT", DATE)
    layout.day_file("SOLUSDT", DATE).write_bytes(b"damaged")
    assert not doctor_data.proved(layout, "SOLUSDT", DATE)


def test_days_that_lack_something_are_counted_and_the_first_day_may_begin_late(layout):
    now = datetime(2025, 10, 23, 12, tzinfo=UTC)
    assert [one.said for one in doctor_data.days(layout, now)] == ["none is over yet"]
    put_day(layout, DATE, day_of_bars(lacking=range(1000), incomplete={1000}))
    put_day(layout, date(2025, 10, 21), day_of_bars(1))
    found, compacted, validated = doctor_data.days(layout, now)
    assert found.state == "ok", found
    assert compacted.state == "ok"
    assert (validated.state, validated.said[:22]) == ("warn", "2 of 2 symbol-days of ")
    assert "--start 2025-10-20 --end 2025-10-22" in validated.remedy
    put_day(layout, date(2025, 10, 21), day_of_bars(1, lacking={50, 51, 52}))
    found = doctor_data.days(layout, now)[0]
    assert (found.state, "1 of 2 symbol-days lack 3 seconds and 3 trades" in found.said) == ("warn", True), found
    layout.day_file("SOLUSDT", date(2025, 10, 21)).unlink()
    put_day(layout, date(2025, 10, 22), day_of_bars(2))
    found = doctor_data.days(layout, now)[0]
    assert "1 of 3 symbol-days lack 86,400 seconds" in found.said, "a day of which there is nothing"


def test_days_by_the_hour_that_are_over_want_to_be_compacted(layout, raw):
    raw.put(*(raw.trade(number, number) for number in range(1, 7)))
    transform.run(layout, "SOLUSDT")
    found = doctor_data.days(layout, datetime(2025, 10, 21, 12, tzinfo=UTC))[1]
    assert (found.state, found.remedy) == ("warn", "crypto-lake compact-day")
    compact.run(layout, "SOLUSDT", DATE)
    assert doctor_data.days(layout, datetime(2025, 10, 21, 12, tzinfo=UTC))[1].state == "ok"


def test_nothing_is_made_by_looking(tmp_path):
    layout = Layout(tmp_path / "lake")
    doctor_disk.strays(layout, 1), doctor_data.quarantine(layout), doctor_data.days(layout, moment(DAY))
    doctor_disk.writable(layout.base)
    assert list(tmp_path.iterdir()) == []
