"""What is in a slice, from each source and in each form."""

import csv
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake import duck, files, kline_store, read, sinks, slices, transform, views
from lake.errors import LakeError
from lake.layout import Layout
from lake.schemas import BARS, UTC_US
from lake.timeframes import TIMEFRAMES
from lake.windows import DAY_US, MINUTE_US, SECOND_US, Window, moment
from tests.conftest import DAY, Raw
from tests.lake.sliceable import BARS_OF, DAYS, VIEW_OF, WINDOW, bars, everything, sliced
from tests.lake.test_views import put


@pytest.mark.parametrize(("source", "tf"), VIEW_OF)
def test_a_slice_is_the_rows_of_the_view_and_of_the_selection(layout, tmp_path, source, tf):
    everything(layout)
    names, window = ["SOLUSDT", "ADAUSDT"], Window.parse("2025-10-20", "2025-11-03")
    names = ["SPY", "^GSPC"] if source == "macro" else names
    key = "ticker" if source == "macro" else "symbol"
    done = sliced(layout, tmp_path / "a", names, window, tf, source=source)
    found, con = pq.ParquetFile(done.path).read(), views.connect(layout)
    order = f"list_position($names, {key}), window_start"
    query = f"SELECT * FROM ({VIEW_OF[source, tf]}) WHERE {key} IN $names ORDER BY {order}"
    view = con.sql(query, params={"names": names}).to_arrow_table()
    assert found.schema.equals(slices.SCHEMAS[source].arrow)
    assert found.equals(slices.SCHEMAS[source].conform(view))
    assert done.rows == len(found) > 1
    wanted = slices.asked(source, names, window, tf)
    parts = [wanted.selection(layout, name, window).on(con).to_arrow_table() for name in names]
    assert found.equals(wanted.schema.conform(pa.concat_tables(parts).select(wanted.schema.names)))


@pytest.mark.parametrize(
    ("tf", "start", "end", "first", "last", "trades"),
    [
        ("1s", "2025-10-20T23:59:00.5Z", "2025-10-21T00:00:00.5Z", "20 23:59:01", "21 00:00:00", 8),
        ("1m", "2025-10-20T00:00:00Z", "2025-10-20T23:59:59Z", "20 23:59:00", "20 23:59:00", 9),
        ("1m", "2025-10-20T23:59:01Z", "2025-10-21T00:03:01Z", "21 00:00:00", "21 00:03:00", 31),
        ("5m", "2025-10-20T23:55:00.000001Z", "2025-10-21T00:00:00.000001Z", "21 00:00:00", "21 00:00:00", 31),
        ("1d", "2025-10-20T05:00:00Z", "2025-10-21T00:00:01Z", "21 00:00:00", "21 00:00:00", 31),
        ("1d", "2025-10-19T05:00:00Z", "2025-10-20T23:59:59Z", "20 00:00:00", "20 00:00:00", 9),
    ],
)
def test_a_slice_has_the_bars_that_begin_in_the_range_each_of_all_its_seconds(
    layout, tmp_path, tf, start, end, first, last, trades
):
    """Trades are at 23:59:00, 23:59:07, … 23:59:56 of the 20th, and at 00:00:03, … 00:03:33 of the 21st."""
    everything(layout)
    window = Window.parse(start, end)
    found = pq.ParquetFile(sliced(layout, tmp_path / "a", ["SOLUSDT"], window, tf).path).read()
    times = [f"{time:%d %H:%M:%S}" for time in found["window_start"].to_pylist()]
    assert (times[0], times[-1], pc.sum(found["trade_count"]).as_py()) == (first, last, trades)
    same = read.bars(layout, "SOLUSDT", window, tf)
    assert found.equals(same)


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """Bars, and klines of each interval, of two days around a month's end; and its views."""
    layout = Layout(tmp_path_factory.mktemp("month") / "lake")
    mine, day = Raw(layout), 11 * 86_400
    mine.put(*(mine.trade(n + 1, day + n * 613, str(10 + n % 7)) for n in range(280)))
    transform.run(layout, "SOLUSDT")
    for tf, step in (("1m", 1), ("1h", 60), ("1d", 1440)):
        for number in (0, 1):
            put(layout, "SOLUSDT", *range(0, 1440, step), day=DAY + (11 + number) * DAY_US, interval=tf)
    return layout, views.connect(layout), Path(tempfile.mkdtemp(dir=tmp_path_factory.getbasetemp()))


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(DAY + 11 * DAY_US, DAY + 13 * DAY_US), length=st.integers(1, 2 * DAY_US), whole=st.booleans(),
    asked=st.sampled_from([*(("bars", tf) for tf in TIMEFRAMES), *(("klines", tf) for tf in ("1m", "1h", "1d"))]),
)  # fmt: skip
def test_any_range_on_the_grid_or_off_it_gives_the_rows_whose_start_lies_in_it(month, start, length, whole, asked):
    (source, tf), (layout, con, folder) = asked, month
    if whole:
        start, length = start // SECOND_US * SECOND_US, -(-length // SECOND_US) * SECOND_US
    window = Window(moment(start), moment(start + length))
    if source == "bars":
        everything = con.sql(f"{BARS_OF}{tf} ORDER BY window_start").to_arrow_table()
    else:
        days = [moment(DAY + (11 + n) * DAY_US).date() for n in (0, 1)]
        tables = pa.concat_tables([kline_store.read(layout, "SOLUSDT", tf, day) for day in days])
        everything = tables.rename_columns(["window_start" if n == "open_time" else n for n in tables.column_names])
    rows = everything.filter(
        pa.array([window.start <= at < window.end for at in everything["window_start"].to_pylist()])
    )
    try:
        done = sliced(layout, folder / "a", ["SOLUSDT"], window, tf, source=source, overwrite=True)
    except LakeError:
        assert not rows.num_rows
        return
    found = pq.ParquetFile(done.path).read()
    assert found.select(rows.column_names).to_pylist() == rows.to_pylist()
    assert found.num_rows == rows.num_rows


def test_klines_are_of_the_interval_asked_for(layout, tmp_path):
    put(layout, "SOLUSDT", 0)
    put(layout, "SOLUSDT", 5, 6, interval="5m", close=7.0)
    assert sliced(layout, tmp_path / "a", ["SOLUSDT"], DAYS, source="klines").rows == 1
    done = sliced(layout, tmp_path / "b", ["SOLUSDT"], DAYS, "5m", source="klines")
    assert pq.ParquetFile(done.path).read()["close"].to_pylist() == [7.0, 7.0]


def test_a_slice_has_the_bars_sorted_by_symbol_as_named_then_time(lake, tmp_path):
    done = sliced(lake, tmp_path / "new" / "a.parquet")
    found = pq.ParquetFile(done.path).read()
    assert found.equals(pa.concat_tables([read.bars(lake, name, WINDOW) for name in ("SOLUSDT", "ADAUSDT")]))
    assert (done.rows, done.bytes, done.without_rows) == (80, done.path.stat().st_size, ())
    assert found["symbol"].to_pylist() == ["SOLUSDT"] * 20 + ["ADAUSDT"] * 60


def test_another_symbols_rows_in_a_file_are_in_no_slice(lake, tmp_path):
    early = datetime(2025, 10, 21, tzinfo=UTC)
    mixed = pa.concat_tables([bars("SOLUSDT", early, 3), bars("EVILUSDT", early, 5).slice(3)])
    files.write_parquet(lake.hour_file("SOLUSDT", early), mixed, "snappy")
    found = pq.ParquetFile(sliced(lake, tmp_path / "a", ["SOLUSDT"]).path).read()
    assert found["symbol"].to_pylist() == ["SOLUSDT"] * 13


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


def test_csv_of_funding_keeps_negative_rates_numbers_and_of_klines_the_last_millisecond(layout, tmp_path):
    everything(layout)

    def second_line(name, source):
        done = sliced(layout, tmp_path / source, [name], DAYS, form="csv", source=source)
        return done.path.read_text().splitlines()[1]

    assert second_line("SOLUSDT", "funding") == '"SOLUSDT","2025-10-20T00:00:00Z",-0.0001,185.5,10,1000'
    times = '"2025-10-20T00:00:00Z",100,101,99,100.5,2.5,"2025-10-20T00:00:59.999Z"'
    assert second_line("SOLUSDT", "klines") == f'"binance","SOLUSDT",{times},250,2,1.5,150,'
    assert second_line("^GSPC", "macro") == '"^GSPC","2025-10-20T00:00:00Z",1,1,1,2.5,0'


def test_csv_has_a_candle_off_the_grid_with_its_own_open_time(layout, tmp_path):
    path = put(layout, "SOLUSDT", 0, 1)
    table = pq.ParquetFile(path).read()
    own = pa.array([None, DAY + MINUTE_US + 14_789_000], pa.int64()).cast(UTC_US)
    files.write_parquet(path, table.set_column(len(table.column_names) - 1, "exchange_open_time", own), "snappy")
    done = sliced(layout, tmp_path / "a", ["SOLUSDT"], DAYS, form="csv", source="klines")
    assert [line.split(",")[-1] for line in done.path.read_text().splitlines()] == [
        '"exchange_open_time"', "", '"2025-10-20T00:01:14.789000Z"',
    ]  # fmt: skip


@given(st.lists(st.one_of(st.none(), st.text(max_size=5), st.from_regex(r"\A[=+\-@\t\r\n＝＋－＠].{0,3}\Z"))))
def test_no_text_of_a_csv_is_a_formula_and_every_other_stays(texts):
    found = sinks.defused(pa.chunked_array([pa.array(texts, pa.string())])).to_pylist()
    for before, after in zip(texts, found, strict=True):
        runs = before is not None and before[:1] in set("=+-@\t\r\n＝＋－＠")
        assert after == (f"'{before}" if runs else before)


def test_a_csv_has_texts_defused_and_numbers_as_they_are():
    table = pa.table({"symbol": ["=cmd|' /C calc'!A0", "SOLUSDT"], "rate": [-0.5, 1.0]})
    assert sinks.text(table).to_pylist() == [
        {"symbol": "'=cmd|' /C calc'!A0", "rate": -0.5}, {"symbol": "SOLUSDT", "rate": 1.0},
    ]  # fmt: skip


@given(st.from_regex(r"\A/[a-z*?\[\]{}\\ ]{1,12}\Z"))
def test_the_glob_of_a_path_is_turned_back_into_the_path(name):
    assert duck.path(duck.pattern(Path(name.replace("\\", "")))) == Path(name.replace("\\", ""))


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize(("source", "tf"), [*VIEW_OF, ("klines", "1s"), ("klines", "1d")])
def test_the_same_slice_twice_is_the_same_file_and_receipt(layout, tmp_path, source, tf, form):
    everything(layout)
    names = ["EURUSD=X", "SPY"] if source == "macro" else ["SOLUSDT", "ADAUSDT"]
    made = [sliced(layout, tmp_path / name / "a", names, DAYS, tf, form, source) for name in ("1", "2")]
    assert made[0].path.read_bytes() == made[1].path.read_bytes()
    assert made[0].receipt.read_bytes() == made[1].receipt.read_bytes()


def test_a_row_group_is_a_day_of_seconds_or_a_month_of_minutes(layout, tmp_path):
    everything(layout)
    one = pq.ParquetFile(sliced(layout, tmp_path / "a", ["SOLUSDT"], DAYS).path).metadata
    assert [one.row_group(n).num_rows for n in range(one.num_row_groups)] == [60, 214]
    minutes = pq.ParquetFile(sliced(layout, tmp_path / "b", ["SOLUSDT"], DAYS, "1m").path).metadata
    assert [minutes.row_group(n).num_rows for n in range(minutes.num_row_groups)] == [minutes.num_rows]


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "lz4", "brotli", "none"])
def test_parquet_has_the_codec_asked_for(lake, tmp_path, codec):
    meta = pq.ParquetFile(sliced(lake, tmp_path / "a.parquet", compression=codec).path).metadata
    assert meta.row_group(0).column(0).compression == {"none": "UNCOMPRESSED"}.get(codec, codec.upper())


def test_without_a_codec_parquet_has_the_lakes_and_csv_none():
    def asked(*given):
        return slices.asked("bars", ["SOLUSDT"], WINDOW, None, *given, codec="zstd").compression

    assert (asked("parquet", None), asked("parquet", "gzip"), asked("csv", None)) == ("zstd", "gzip", None)
