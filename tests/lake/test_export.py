import csv
import math
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake import export, files, read, views
from lake.errors import BadInputError, LakeError
from lake.schemas import BARS
from lake.windows import Window

WINDOW = Window.parse("2025-10-20T23:59:00Z", "2025-10-21T00:01:00Z")


def bars(symbol, start, count, price=0.1):
    """Bars of consecutive seconds; the third is flat, the fourth has a price that needs all its digits."""
    rows = []
    for n in range(count):
        flat, value = n == 2, 1 / 3 if n == 3 else price
        rows.append({
            "symbol": symbol, "window_start": datetime.fromtimestamp(start.timestamp() + n, UTC),
            "open": value, "high": value, "low": value, "close": value,
            "volume_base": 0.0 if flat else 1e-8, "volume_quote": 0.0 if flat else 1e16,
            "trade_count": 0 if flat else 1, "vwap": None if flat else value, "bid": None, "ask": None, "spread": None,
            "taker_buy_base": 0.0, "taker_buy_quote": 0.0,
            "first_trade_id": None if flat else n, "last_trade_id": None if flat else n, "complete": True,
        })  # fmt: skip
    return BARS.conform(pa.Table.from_pylist(rows, schema=BARS.arrow))


@pytest.fixture
def lake(layout):
    """Two symbols around midnight: one whose first day is compacted, one with hour files only."""
    late, early = datetime(2025, 10, 20, 23, 59, 50, tzinfo=UTC), datetime(2025, 10, 21, tzinfo=UTC)
    files.write_parquet(layout.day_file("SOLUSDT", late.date()), bars("SOLUSDT", late, 10), "snappy")
    files.write_parquet(layout.hour_file("SOLUSDT", early), bars("SOLUSDT", early, 10), "snappy")
    files.write_parquet(layout.hour_file("ADAUSDT", early), bars("ADAUSDT", early, 70, 0.5), "snappy")
    return layout


def sliced(lake, out, symbols=("SOLUSDT", "ADAUSDT"), window=WINDOW, tf="1s", form="parquet", **more):
    return export.slice_to(lake, list(symbols), window, tf, Path(out), form, **more)


def test_a_slice_has_the_bars_sorted_by_symbol_as_named_then_time(lake, tmp_path):
    done = sliced(lake, tmp_path / "new" / "a.parquet")
    found = pq.ParquetFile(done.path).read()
    assert found.schema.equals(BARS.arrow)
    assert found.equals(pa.concat_tables([read.bars(lake, name, WINDOW) for name in ("SOLUSDT", "ADAUSDT")]))
    assert (done.rows, done.bytes, done.without_bars) == (80, done.path.stat().st_size, ())
    assert found["symbol"].to_pylist() == ["SOLUSDT"] * 20 + ["ADAUSDT"] * 60


def test_the_end_of_the_range_does_not_belong_to_it(lake, tmp_path):
    window = Window.parse("2025-10-20T23:59:58Z", "2025-10-21T00:00:02Z")
    times = pq.ParquetFile(sliced(lake, tmp_path / "a.parquet", ["SOLUSDT"], window).path).read()["window_start"]
    assert [f"{time:%H:%M:%S}" for time in times.to_pylist()] == ["23:59:58", "23:59:59", "00:00:00", "00:00:01"]


def test_csv_gives_every_value_back(lake, tmp_path):
    done = sliced(lake, tmp_path / "a.csv", form="csv")
    with done.path.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    true = [row for name in ("SOLUSDT", "ADAUSDT") for row in read.bars(lake, name, WINDOW).to_pylist()]
    assert list(rows[0]) == BARS.names
    assert len(rows) == len(true) == done.rows
    for row, bar in zip(rows, true, strict=True):
        assert row["window_start"] == f"{bar['window_start']:%Y-%m-%dT%H:%M:%SZ}"
        assert row["symbol"] == bar["symbol"]
        assert row["complete"] == "true"
        for column in BARS.columns[2:-1]:
            assert (row[column.name] == "") == (bar[column.name] is None)
            assert row[column.name] == "" or float(row[column.name]) == bar[column.name]
    assert rows[3]["open"] == "0.3333333333333333"


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("tf", ["1s", "1m"])
def test_the_same_slice_twice_is_the_same_file(lake, tmp_path, form, tf):
    first, second = (sliced(lake, tmp_path / name, tf=tf, form=form) for name in ("a", "b"))
    assert first.path.read_bytes() == second.path.read_bytes()


def test_minutes_are_those_of_the_view(lake, tmp_path):
    done = sliced(lake, tmp_path / "a.parquet", tf="1m", window=Window.parse("2025-10-20", "2025-10-22"))
    view = views.connect(lake).sql("SELECT * EXCLUDE exchange FROM bars_1m ORDER BY symbol DESC, window_start")
    assert pq.ParquetFile(done.path).read().equals(BARS.conform(view.to_arrow_table()))
    assert done.rows == 4


@pytest.mark.parametrize("codec", ["zstd", "gzip", "none"])
def test_parquet_has_the_codec_asked_for(lake, tmp_path, codec):
    meta = pq.ParquetFile(sliced(lake, tmp_path / "a.parquet", compression=codec).path).metadata
    assert meta.row_group(0).column(0).compression == {"none": "UNCOMPRESSED"}.get(codec, codec.upper())


def test_a_file_that_is_there_is_left_alone(lake, tmp_path):
    (tmp_path / "a.parquet").write_text("mine")
    with pytest.raises(BadInputError, match=r"a\.parquet: is there already"):
        sliced(lake, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_text() == "mine"


def test_half_a_slice_is_no_file(lake, tmp_path, monkeypatch):
    def breaks(table):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_text", lambda table: table if not table.num_rows else breaks(table))
    with pytest.raises(LakeError, match="No space left"):
        sliced(lake, tmp_path / "out" / "a.csv", form="csv")
    assert list((tmp_path / "out").iterdir()) == []


def test_symbols_without_bars_are_named_and_no_bars_at_all_is_an_error(lake, tmp_path):
    done = sliced(lake, tmp_path / "a.parquet", ["OPUSDT", "SOLUSDT"])
    assert done.without_bars == ("OPUSDT",)
    with pytest.raises(LakeError, match=r"OPUSDT, UNIUSDT: no bars in 2025-10-20T23:59:00Z/2025-10-21T00:01:00Z"):
        sliced(lake, tmp_path / "b.parquet", ["OPUSDT", "UNIUSDT"])
    assert not (tmp_path / "b.parquet").exists()


@pytest.mark.parametrize(
    "out", ["parquet/x.parquet", "raw/binance/x.csv", "a/../parquet/binance/SOLUSDT/2025-10-19.parquet"]
)
def test_a_slice_never_lies_among_the_lakes_own_files(lake, out):
    with pytest.raises(BadInputError, match="among the lake's own files"):
        sliced(lake, out)


def test_a_relative_file_lies_below_the_lakes_base(lake):
    assert sliced(lake, "slices/a.parquet").path == lake.base / "slices" / "a.parquet"


def test_minutes_that_begin_within_one_are_refused(lake, tmp_path):
    with pytest.raises(BadInputError, match="a multiple of 1m, such as 2025-10-20T23:59:00Z"):
        sliced(lake, tmp_path / "a.csv", tf="1m", window=Window.parse("2025-10-20T23:59:30Z", "2025-10-21T00:01:00Z"))


def test_progress_goes_from_nought_to_one(lake, tmp_path):
    told = []
    sliced(lake, tmp_path / "a.parquet", progress=lambda done, what: told.append((done, what)))
    assert [what for _, what in told] == ["SOLUSDT 2025-10-20", "SOLUSDT 2025-10-21", "ADAUSDT 2025-10-21", "80 bars"]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[0][0] == 0
    assert math.isclose(told[-1][0], 1)


def test_a_range_of_centuries_costs_no_more_than_its_days_with_bars(lake, tmp_path):
    told = []
    window = Window.parse("2009-01-01", "2261-01-01")
    sliced(lake, tmp_path / "a.parquet", window=window, progress=lambda done, what: told.append(what))
    assert len(told) == 4
