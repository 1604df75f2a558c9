"""Files and bytes by kind and symbol, counted exactly; growth by the days in the paths."""

import os
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from rich.console import Console

from lake import usage, usage_shown
from lake.disk import Disk
from lake.usage import Usage, size

TODAY = date(2025, 10, 25)


def put(layout, path, count, at=None):
    path = layout.base / path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(count))
    if at:
        os.utime(path, (at.timestamp(),) * 2)


@pytest.fixture
def lake_of_a_week(layout):
    for day in range(20, 26):
        put(layout, f"raw/binance/SOLUSDT/2025-10-{day}/part_0001.jsonl", 1000)
        put(layout, f"raw/binance/ADAUSDT/2025-10-{day}/part_0001.jsonl", 10)
    put(layout, "raw/binance/SOLUSDT/2025-10-25/.part_0002.jsonl.open", 7)
    put(layout, "parquet/binance/SOLUSDT/2025-10-24.parquet", 500)
    put(layout, "parquet/binance/SOLUSDT/2025-10-24.parquet.sha256", 84)
    put(layout, "parquet/binance/SOLUSDT/year=2025/month=10/day=25/bars_1s_00.parquet", 40)
    put(layout, "backfill/binance/SOLUSDT/year=2020/month=01/day=01/klines_1m.parquet", 300)
    put(layout, "derivatives/binance/funding/SOLUSDT/year=2025/funding.parquet", 60)
    put(layout, "macro/minute/EURUSD=X/year=2025/month=10/day=20/macro_minute.parquet", 70)
    put(layout, "reports/health.md", 5, datetime(2025, 10, 23, tzinfo=UTC))
    put(layout, ".prefect/prefect.db", 900)
    put(layout, "notes.txt", 3)
    (layout.base / "loop").symlink_to(layout.base)
    return layout


def test_kinds_and_symbols_are_counted_exactly(lake_of_a_week):
    found = usage.measure(lake_of_a_week, TODAY)
    there = {name: (one.files, one.bytes) for name, one in found.kinds.items() if one.files}
    assert there == {
        "raw": (12, 6060), "parquet": (3, 624), "backfill": (1, 300), "derivatives": (1, 60), "macro": (1, 70),
        "reports": (1, 5), "Prefect": (1, 900), "temporary": (1, 7), "other": (1, 3),
    }  # fmt: skip
    assert (found.files, found.bytes) == (22, 8029)
    assert [(name, sum(one.bytes for one in kinds.values())) for name, kinds in found.largest(2)] == [
        ("SOLUSDT", 6991), ("EURUSD=X", 70),
    ]  # fmt: skip
    assert found.symbols["SOLUSDT"]["parquet"].bytes == 624


def test_growth_is_of_complete_days_by_the_days_in_the_paths(lake_of_a_week):
    kinds = usage.measure(lake_of_a_week, TODAY).kinds
    assert kinds["raw"].bytes_a_day == 1010
    assert kinds["raw"].files_a_day == 2
    assert kinds["parquet"].bytes_a_day == 584
    assert kinds["backfill"].bytes_a_day == 0, "fetched today, of 2020"
    assert kinds["reports"].bytes_a_day == 5


def test_what_is_shown_and_said_to_programs(lake_of_a_week):
    found, disk = usage.measure(lake_of_a_week, TODAY), Disk(1_669_000, 10_000_000)
    told = usage_shown.as_json(found, disk)
    assert told["days_left"] == 1000.0
    assert told["kinds"]["raw"] == {"files": 12, "bytes": 6060, "bytes_per_day": 1010}
    console = Console(width=100, record=True, file=StringIO())
    usage_shown.show(found, disk, console)
    text = console.export_text()
    assert "1.67 MB of 10 MB free: 1,000 days at 1.67 kB a day" in text
    assert "SOLUSDT" in text
    assert "█" in text


def test_at_most_twenty_symbols_are_shown(layout):
    for number in range(25):
        put(layout, f"raw/binance/S{number:02}USDT/2025-10-20/part_0001.jsonl", 1000 + number)
    found = usage.measure(layout, TODAY)
    assert list(usage_shown.as_json(found, Disk(1, 1))["symbols"])[:2] == ["S24USDT", "S23USDT"]
    assert len(usage_shown.as_json(found, Disk(1, 1))["symbols"]) == 20
    console = Console(width=100, record=True, file=StringIO())
    usage_shown.show(found, Disk(1, 1), console)
    assert "and 5 more symbols" in console.export_text()


def test_an_empty_lake_takes_nothing(layout):
    assert usage.measure(layout, TODAY).bytes == 0
    assert usage_shown.days_left(Usage(), Disk(1, 1)) is None


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (123_456, "123 kB"), (5.5e12, "5.5 TB"), (9e15, "9e+03 TB")],
)
def test_sizes_as_people_read_them(count, text):
    assert size(count) == text


@pytest.mark.parametrize(("count", "most", "length"), [(0, 10, 0), (1, 1000, 1), (5, 10, 12), (10, 10, 24), (0, 0, 0)])
def test_bars(count, most, length):
    assert len(usage_shown.bar(count, most)) == length
