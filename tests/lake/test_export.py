import csv
import math
import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import Timeout
from hypothesis import given
from hypothesis import strategies as st

from lake import compact, duck, export, files, inputs, locks, outputs, read, sinks, slices, transform, views
from lake.errors import BadInputError, LakeError
from lake.layout import Layout
from lake.schemas import BARS
from lake.timeframes import TIMEFRAMES
from lake.windows import HOUR_US, Window
from tests.conftest import Raw, content
from tests.lake.test_views import DAY, fund, open_interest, put, rate

WINDOW = Window.parse("2025-10-20T23:59:00Z", "2025-10-21T00:01:00Z")
DAYS = Window.parse("2025-10-20", "2025-10-22")


def bars(symbol, start, count, price=0.1, complete=True):
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
            "first_trade_id": None if flat else n, "last_trade_id": None if flat else n, "complete": complete,
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


def sliced(
    lake, out, symbols=("SOLUSDT", "ADAUSDT"), window=WINDOW, tf=None, form="parquet", source="bars", compression=None,
    **more,
):  # fmt: skip
    wanted = slices.asked(source, list(symbols), window, tf, form, compression)
    return export.slice_to(lake, wanted, Path(out), **more)


def everything(layout):
    """Some rows of every source for two symbols, and for two tickers, around a month's end; rows of others too."""
    for symbol, first in (("SOLUSDT", 1), ("ADAUSDT", 50), ("XRPUSDT", 90)):
        raw = Raw(layout, symbol)
        lines = [raw.trade(first + n, 86_340 + 7 * n, f"{100 + n % 3}.5") for n in range(40)]
        raw.put(*lines, raw.quote(1, 86_341))
        transform.run(layout, symbol)
        for tf in ("1s", "1m", "5m", "1d"):
            put(layout, symbol, 0, 5, 1439, interval=tf)
            put(layout, symbol, 0, day=DAY + 12 * 24 * HOUR_US, interval=tf)
        fund(layout, (3000, -0.0001, 185.5), (8 * HOUR_US, 0.0002, None), symbol=symbol)
        open_interest(layout, (0, 10.0), (30 * HOUR_US, 11.0), symbol=symbol)
    for ticker in ("SPY", "^GSPC", "EURUSD=X"):
        rate(layout, ticker, 0, 1, 1439, 12 * 1440, close=2.5)


BARS_OF = "SELECT * EXCLUDE exchange FROM bars_"
VIEW_OF = {
    **{("bars", tf): f"{BARS_OF}{tf}" for tf in TIMEFRAMES},
    ("klines", "1m"): "SELECT * EXCLUDE (year, month, day) FROM klines_1m",
    ("macro", "1m"): "FROM macro_minute",
    ("funding", "1h"): "FROM funding_oi_hourly",
}


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
    assert second_line("SOLUSDT", "klines") == f'"binance","SOLUSDT",{times},250,2,1.5,150'
    assert second_line("^GSPC", "macro") == '"^GSPC","2025-10-20T00:00:00Z",1,1,1,2.5,0'


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


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"form": "csv", "compression": "zstd"}, "compression zstd: a CSV is not compressed"),
        ({"compression": "rar"}, "compression 'rar': expected one of snappy"),
        ({"source": "trades"}, "source 'trades': expected one of bars, klines, macro, funding"),
        ({"form": "xlsx"}, "format 'xlsx': expected one of parquet, csv"),
        ({"tf": "7m"}, "tf '7m': expected one of 1s, 1m"),
        ({"source": "macro", "tf": "1h"}, "tf 1h: macro has 1m alone"),
        ({"source": "funding", "tf": "1m"}, "tf 1m: funding has 1h alone"),
        ({"symbols": ["EURUSD=X"]}, "symbol 'EURUSD=X'"),
        ({"symbols": ["EURUSD=X"], "source": "funding"}, "symbol 'EURUSD=X'"),
        ({"symbols": ["SO L"], "source": "macro"}, "ticker 'SO L'"),
        ({"symbols": []}, "symbols: at least one"),
        ({"tf": "1m", "window": Window.parse("2025-10-20T23:59:30Z", "2025-10-21T00:01:00Z")},
         "a multiple of 1m, such as 2025-10-20T23:59:00Z"),
        ({"tf": "1d"}, "a multiple of 1d, such as 2025-10-20T00:00:00Z"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_name(lake, tmp_path, given, words):
    with pytest.raises(BadInputError, match=re.escape(words)):
        sliced(lake, tmp_path / "x", **given)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("source", ["bars", "klines", "macro", "funding"])
@pytest.mark.parametrize(
    "name", ["a'b", 'a"b', "a[b]", "a\x00b", "\u202eTDSULOS", "../x", "a/b", "=1+1", "-1", "@A", ""]
)
def test_names_that_hide_something_are_refused_by_name(lake, tmp_path, source, name):
    with pytest.raises(BadInputError) as refused:
        sliced(lake, tmp_path / "x", [name], source=source)
    assert repr(name) in str(refused.value)


def test_a_file_that_is_there_is_left_alone_unless_told(lake, tmp_path):
    (tmp_path / "a.parquet").write_text("mine")
    with pytest.raises(BadInputError, match=r"a\.parquet: is there already"):
        sliced(lake, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_text() == "mine"
    done = sliced(lake, tmp_path / "a.parquet", overwrite=True)
    assert pq.ParquetFile(done.path).metadata.num_rows == done.rows == 80
    assert {path.name for path in done.path.parent.iterdir()} == {"a.parquet", "a.parquet.receipt.json", "lake"}


def test_a_file_that_somebody_makes_meanwhile_is_left_alone(lake, tmp_path):
    def meddle(done, what):
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / "a.parquet").write_text("theirs")

    with pytest.raises(LakeError, match="cannot be written"):
        sliced(lake, tmp_path / "out" / "a.parquet", progress=meddle)
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {"a.parquet": "theirs"}


def test_on_a_disk_without_links_a_slice_is_renamed_and_still_takes_nobodys_name(lake, tmp_path, monkeypatch):
    def refuses(path, target):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "hardlink_to", refuses)
    assert sliced(lake, tmp_path / "a").path.exists()
    with pytest.raises(LakeError, match="cannot be written"):
        sliced(lake, tmp_path / "b", progress=lambda done, what: (tmp_path / "b").write_text("theirs"))
    assert (tmp_path / "b").read_text() == "theirs"


def test_of_two_runs_to_one_file_the_second_waits_and_is_refused(lake, tmp_path):
    out, failed = tmp_path / "a.parquet", []

    def second():
        try:
            sliced(lake, out)
        except BadInputError as error:
            failed.append(str(error))

    with locks.slice_file(lake, out):
        thread = threading.Thread(target=second)
        thread.start()
        out.write_text("the first run's")
    thread.join(60)
    assert failed == [f"{out}: is there already: name another file, move it away, or overwrite it"]
    assert out.read_text() == "the first run's"


def test_while_a_slice_is_written_nobody_else_writes_to_its_file(lake, tmp_path):
    held = []

    def look(done, what):
        with pytest.raises(Timeout):
            locks.slice_file(lake, tmp_path / "lake" / ".." / "a").acquire(timeout=0)
        held.append(what)

    sliced(lake, tmp_path / "a", progress=look)
    assert len(held) == 4


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_half_a_slice_is_no_file(lake, tmp_path, monkeypatch, form, overwrite):
    out, rows, before = tmp_path / "out" / "a", slices.Slice.rows, {}
    if overwrite:
        sliced(lake, out)
        before = content(out.parent)

    def breaks(wanted, layout, con, chunk):
        if chunk.symbol == "ADAUSDT":
            raise OSError(28, "No space left on device")
        return rows(wanted, layout, con, chunk)

    monkeypatch.setattr(slices.Slice, "rows", breaks)
    with pytest.raises(LakeError, match="No space left"):
        sliced(lake, out, form=form, overwrite=overwrite)
    assert content(out.parent) == before


@pytest.mark.parametrize("source", ["bars", "klines", "macro", "funding"])
def test_symbols_without_rows_are_named_and_no_rows_at_all_is_an_error(layout, tmp_path, source):
    everything(layout)
    known, unknown = ("SPY", ["QQQ", "^VIX"]) if source == "macro" else ("SOLUSDT", ["OPUSDT", "UNIUSDT"])
    done = sliced(layout, tmp_path / "a.parquet", [unknown[0], known], DAYS, source=source)
    assert done.without_rows == (unknown[0],)
    words = f"{unknown[0]}, {unknown[1]}: no {source} in {DAYS}: nothing written"
    with pytest.raises(LakeError, match=re.escape(words)) as failed:
        sliced(layout, tmp_path / "b.parquet", unknown, DAYS, source=source)
    assert not isinstance(failed.value, BadInputError)
    assert not list(tmp_path.glob("*b.parquet*"))


@pytest.mark.parametrize("folder", ["parquet", "raw/binance", "reports", "a/../parquet/binance", "Macro", "locks/x"])
def test_a_slice_never_lies_among_the_lakes_own_files(lake, folder):
    with pytest.raises(BadInputError, match="among the lake's own files"):
        sliced(lake, f"{folder}/x.csv", overwrite=True)


def test_nor_by_way_of_links(lake, tmp_path):
    (tmp_path / "to_bars").symlink_to(lake.parquet)
    (tmp_path / "to_lake").symlink_to(lake.base)
    for out in ("to_bars/x", "to_bars/new/x", "to_lake/parquet/x", "to_bars/../x", "to_lake/macro/x"):
        with pytest.raises(BadInputError, match="among the lake's own files"):
            sliced(lake, tmp_path / out)
    assert sliced(lake, tmp_path / "to_lake" / "slices" / "x").rows == 80
    linked = Layout(tmp_path / "to_lake")
    with pytest.raises(BadInputError, match="among the lake's own files"):
        sliced(linked, lake.base / "parquet" / "x")


def test_nor_where_one_of_the_lakes_folders_is_a_link_to(lake, tmp_path):
    (tmp_path / "other_disk").mkdir()
    (lake.base / "raw").symlink_to(tmp_path / "other_disk")
    with pytest.raises(BadInputError, match="among the lake's own files"):
        sliced(lake, tmp_path / "other_disk" / "binance" / "x")


def test_a_link_a_folder_and_a_name_that_is_none_are_refused_even_to_overwrite(lake, tmp_path):
    (tmp_path / "real").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("link", "loop", "lake", "loop/x", "a\x00b", "n" * 300, "a.receipt.json"):
        with pytest.raises(BadInputError):
            sliced(lake, tmp_path / name, overwrite=True)
    assert (tmp_path / "real").read_text() == "mine"


def test_a_file_with_the_receipts_name_is_left_alone_unless_a_killed_run_left_it(lake, tmp_path):
    receipt = tmp_path / "a.receipt.json"
    for mine in ("mine", "[]", '{"file": "another"}'):
        receipt.write_text(mine)
        with pytest.raises(BadInputError, match=r"a\.receipt\.json: is there already, and no receipt"):
            sliced(lake, tmp_path / "a", overwrite=True)
        assert receipt.read_text() == mine
    receipt.write_text('{"file": "a"}')
    assert sliced(lake, tmp_path / "a").rows == 80


def test_a_relative_file_lies_below_the_lakes_base(lake):
    assert sliced(lake, "slices/a.parquet").path == lake.base / "slices" / "a.parquet"


def test_progress_goes_from_nought_to_one(lake, tmp_path):
    told = []
    sliced(lake, tmp_path / "a.parquet", progress=lambda done, what: told.append((done, what)))
    assert [what for _, what in told] == ["SOLUSDT 2025-10-20", "SOLUSDT 2025-10-21", "ADAUSDT 2025-10-21", "80 rows"]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[0][0] == 0
    assert math.isclose(told[-1][0], 1)


@pytest.mark.parametrize(("source", "steps"), [("bars", 4), ("klines", 3), ("macro", 3), ("funding", 13)])
def test_a_range_of_centuries_costs_no_more_than_what_is_there(layout, tmp_path, source, steps):
    everything(layout)
    told = []
    window = Window.parse("2009-01-01", "2261-01-01")
    name, tf = "SPY" if source == "macro" else "SOLUSDT", "1m" if source == "klines" else None
    sliced(layout, tmp_path / "a", [name], window, tf, source=source, progress=lambda done, what: told.append(what))
    assert len(told) <= steps


def test_what_is_compacted_or_made_anew_meanwhile_is_read_from_the_start(lake, tmp_path):
    early = datetime(2025, 10, 21, tzinfo=UTC)
    before, done = read.bars(lake, "ADAUSDT", WINDOW), []

    def meddle(_, what):
        if what.startswith("ADAUSDT") and not done:
            compact.run(lake, "SOLUSDT", early.date())
            files.write_parquet(lake.hour_file("ADAUSDT", early), bars("ADAUSDT", early, 30, 0.5), "snappy")
            done.append(what)

    result = sliced(lake, tmp_path / "a", progress=meddle)
    assert result.rows == 50 != 20 + len(before)
    assert (
        pq.ParquetFile(result.path)
        .read()
        .equals(pa.concat_tables([read.bars(lake, name, WINDOW) for name in ("SOLUSDT", "ADAUSDT")]))
    )


def test_a_lake_that_never_rests_is_an_error_and_no_file(lake, tmp_path):
    early = datetime(2025, 10, 21, tzinfo=UTC)

    def meddle(done, what):
        files.write_parquet(lake.hour_file("ADAUSDT", early), bars("ADAUSDT", early, 70), "snappy")

    with pytest.raises(LakeError, match="change while they are read: end the range earlier"):
        sliced(lake, tmp_path / "a", progress=meddle)
    assert not list(tmp_path.glob("*a*.tmp"))
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(("source", "tf"), [("bars", "1s"), ("bars", "1m"), ("klines", "1m"), ("macro", "1m")])
def test_a_file_that_cannot_be_read_is_named_and_nothing_written(layout, tmp_path, source, tf):
    everything(layout)
    name = "SPY" if source == "macro" else "SOLUSDT"
    broken = inputs.listed(layout, slices.asked(source, [name], DAYS, tf)).files[0].path
    broken.write_bytes(b"PAR1 this is none PAR1")
    with pytest.raises(LakeError, match=rf"{re.escape(broken.name)}.*move"):
        sliced(layout, tmp_path / "a", [name], DAYS, tf, source=source)
    assert not outputs.receipt_of(tmp_path / "a").exists()


def test_where_memory_runs_out_nobody_is_told_to_move_files_away(lake, tmp_path, monkeypatch):
    def breaks(*_):
        raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate")

    monkeypatch.setattr(slices.Slice, "rows", breaks)
    with pytest.raises(LakeError, match="memory") as failed:
        sliced(lake, tmp_path / "a")
    assert "move" not in str(failed.value)


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
