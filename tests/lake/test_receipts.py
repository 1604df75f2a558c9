import hashlib
import json
import platform
import re
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lake import compact, duck, export, files, outputs, receipts, slices
from lake.errors import BadInputError, LakeError
from lake.schemas import PARITY
from lake.windows import Window
from tests.conftest import content
from tests.lake.sliceable import DAYS, everything
from tests.lake.test_views import DATE

GOOD = '{"file": "a.parquet", "bytes": %s, "sha256": "", "rows": 1, "parameters": {"format": "csv"}}'


@pytest.fixture
def make(layout, tmp_path):
    """Write a slice; its path and its receipt."""
    everything(layout)

    def write(source="bars", names=("SOLUSDT", "ADAUSDT"), window=DAYS, tf=None, form="parquet", **more):
        wanted = slices.asked(source, list(names), window, tf, form)
        done = export.slice_to(layout, wanted, tmp_path / "out" / f"a.{form}", overwrite=True, **more)
        return done.path, json.loads(done.receipt.read_text())

    return write


def test_a_receipt_says_what_was_asked_what_was_written_and_by_what(make):
    path, told = make(tf="1m", require_complete=False)
    assert {key: told[key] for key in ("file", "bytes", "sha256", "rows", "parameters", "receipt", "versions")} == {
        "receipt": 1, "file": "a.parquet", "bytes": path.stat().st_size, "rows": 10,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "parameters": {
            "source": "bars", "symbols": ["SOLUSDT", "ADAUSDT"], "start": "2025-10-20T00:00:00Z",
            "end": "2025-10-22T00:00:00Z", "tf": "1m", "format": "parquet", "compression": "snappy",
            "require_complete": False,
        },
        "versions": {
            "crypto-lake": "0.1.0", "python": platform.python_version(), "duckdb": duckdb.__version__,
            "pyarrow": pa.__version__,
        },
    }  # fmt: skip


def test_times_are_normalised_to_utc(make):
    window = Window.parse("2025-10-20T02:00:00+02:00", "2025-10-21T12:00:00+12:00")
    assert make(window=window)[1]["parameters"]["start"] == "2025-10-20T00:00:00Z"
    assert make(window=window)[1]["parameters"]["end"] == "2025-10-21T00:00:00Z"


def test_a_receipt_names_the_files_that_were_read_and_the_checksum_of_each(make, layout):
    compact.run(layout, "SOLUSDT", DATE)
    _, told = make(names=["SOLUSDT"], window=Window.parse("2025-10-21", "2025-10-22"))
    paths = [
        "parquet/binance/SOLUSDT/year=2025/month=10/day=21/bars_1s_00.parquet",
        "parquet/binance/SOLUSDT/2025-10-20.parquet",
    ]
    assert [file["path"] for file in told["inputs"]] == paths, "the day before says whether a trade is missing"
    assert [file["bytes"] for file in told["inputs"]] == [(layout.base / path).stat().st_size for path in paths]
    digests = [hashlib.sha256((layout.base / path).read_bytes()).hexdigest() for path in paths]
    assert [file["sha256"] for file in told["inputs"]] == digests


def test_a_receipt_has_the_coverage_of_each_symbol_day_and_the_days_without_rows(make, layout):
    window = Window.parse("2025-10-18", "2025-10-25")
    _, told = make(names=["SOLUSDT", "OPUSDT"], window=window)
    known = {"symbol": "SOLUSDT", "seconds_expected": 86_400, "trades_missing": 0, "parity": None}
    assert told["days"] == [
        known | {"day": "2025-10-20", "rows": 60, "seconds_held": 9, "seconds_flat": 51, "seconds_missing": 86_340,
                 "seconds_complete": 59},
        known | {"day": "2025-10-21", "rows": 214, "seconds_held": 31, "seconds_flat": 183, "seconds_missing": 86_186,
                 "seconds_complete": 213},
    ]  # fmt: skip
    assert told["days_without_rows"] == {
        "SOLUSDT": [["2025-10-18", "2025-10-19"], ["2025-10-22", "2025-10-24"]],
        "OPUSDT": [["2025-10-18", "2025-10-24"]],
    }


def test_off_the_grid_a_receipt_has_the_range_as_asked_and_the_coverage_of_the_whole_bars(make):
    """Of the minutes from 23:59 to 00:03 two begin in the range; each has 60 seconds, none before 00:00 counts."""
    window = Window.parse("2025-10-20T23:59:30Z", "2025-10-21T00:01:01Z")
    _, told = make(names=["SOLUSDT"], window=window, tf="1m")
    assert {key: told["parameters"][key] for key in ("start", "end")} == {
        "start": "2025-10-20T23:59:30Z", "end": "2025-10-21T00:01:01Z"
    }  # fmt: skip
    assert told["windows"] == {"start": "2025-10-21T00:00:00Z", "end": "2025-10-21T00:02:00Z"}
    [day] = told["days"]
    assert (day["day"], day["rows"], day["seconds_expected"], day["seconds_complete"]) == ("2025-10-21", 2, 120, 120)
    assert told["days_without_rows"] == {"SOLUSDT": []}


@pytest.mark.parametrize("tf", ["1s", "1m", "1d"])
def test_rows_by_day_add_up(make, tf):
    _, told = make(tf=tf)
    assert sum(day["rows"] for day in told["days"]) == told["rows"]
    assert [(day["symbol"], day["day"]) for day in told["days"]] == [
        (name, day) for name in ("SOLUSDT", "ADAUSDT") for day in ("2025-10-20", "2025-10-21")
    ]


def test_a_receipt_has_the_parity_that_validations_found(make, layout):
    numbers = {column.name: 0 for column in PARITY.columns} | {"share": 0.9, "compared": 10, "agree": 9}
    rows = [numbers | {"symbol": name, "day": DATE} for name in ("ADAUSDT", "XRPUSDT")]
    files.write_parquet(layout.parity, PARITY.conform(pa.Table.from_pylist(rows, PARITY.arrow)), "snappy")
    found = {(day["symbol"], day["day"]): day["parity"] for day in make()[1]["days"]}
    assert {key: value for key, value in found.items() if value} == {
        ("ADAUSDT", "2025-10-20"): {"compared": 10, "equal": 9}
    }
    layout.parity.write_bytes(b"no Parquet")
    with pytest.raises(
        LakeError, match=r"parity\.parquet: damaged \(no whole Parquet file: .*\): crypto-lake verify sets it aside"
    ):
        make()


def test_klines_have_candles_expected_and_missing(make):
    _, told = make("klines", ["SOLUSDT"], Window.parse("2025-10-20T00:00:30Z", "2025-10-20T00:10:00Z"))
    assert told["days"] == [
        {"symbol": "SOLUSDT", "day": "2025-10-20", "rows": 1, "candles_expected": 9, "candles_missing": 8}
    ]


@pytest.mark.parametrize("source", ["macro", "funding"])
def test_other_sources_have_rows_by_day_alone(make, source):
    _, told = make(source, ["SPY" if source == "macro" else "SOLUSDT"], Window.parse("2025-10-20", "2025-10-21"))
    assert [set(day) for day in told["days"]] == [{"symbol", "day", "rows"}]


@pytest.mark.parametrize(
    ("source", "tf"), [("bars", "1s"), ("bars", "5m"), ("klines", "1m"), ("macro", "1m"), ("funding", "1h")]
)
@pytest.mark.parametrize("window", [DAYS, Window.parse("2025-10-20T00:00:01Z", "2025-10-21T00:00:00.5Z")])
def test_the_sql_of_a_receipt_gives_the_rows_of_the_file_again(make, layout, source, tf, window):
    names = ["SPY", "^GSPC"] if source == "macro" else ["SOLUSDT", "ADAUSDT"]
    path, told = make(source, names, window, tf=tf)
    given, con = told["parameters"], duck.memory()
    paths = [str(layout.base / file["path"]) for file in told["inputs"]]
    lists = {
        "files": paths, "hour_files": paths, "day_files": [], "funding_files": [p for p in paths if "/funding/" in p],
        "interest_files": [p for p in paths if "/open_interest/" in p], "width": 300,
        "gap_files": [p for p in paths if "/gaps/" in p],
    }  # fmt: skip
    known = lists | {name: given[name] for name in ("symbols", "start", "end")}
    *macros, statement = duckdb.extract_statements(told["sql"])
    for macro in macros:
        con.execute(macro)
    params = {name: known[name] for name in statement.named_parameters}
    table = con.sql(told["sql"], params=params).to_arrow_table()
    schema = slices.SCHEMAS[source]
    assert schema.conform(table.select(schema.names)).equals(pq.ParquetFile(path).read())


def test_a_receipt_has_no_absolute_path_no_time_of_now_and_sorted_keys(make, layout, tmp_path):
    path, told = make()
    text = outputs.receipt_of(path).read_text()
    assert str(tmp_path) not in text
    assert not re.search(r'"/|\d\d:\d\d:\d\d\.\d', text)
    assert text == json.dumps(told, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_slice_is_as_its_receipt_says(make, form):
    path, told = make(form=form)
    assert receipts.verify(path) == (
        f"{path}: as its receipt says: 548 rows, {told['bytes']:,} bytes, SHA-256 {told['sha256']}"
    )


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_changed_byte_a_shorter_file_and_other_rows_are_told(make, form):
    path, told = make(form=form)
    good = path.read_bytes()
    path.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
    with pytest.raises(
        LakeError, match=rf"is not what its receipt describes: SHA-256 \w+, the receipt says {told['sha256']}"
    ):
        receipts.verify(path)
    path.write_bytes(good[:-1])
    with pytest.raises(LakeError, match=rf"bytes {len(good) - 1}, the receipt says {len(good)}"):
        receipts.verify(path)
    path.write_bytes(good)
    outputs.receipt_of(path).write_text(json.dumps(told | {"rows": 547}))
    with pytest.raises(LakeError, match="rows 548, the receipt says 547") as failed:
        receipts.verify(path)
    assert not isinstance(failed.value, BadInputError)


def test_a_slice_of_another_name_is_not_what_the_receipt_describes(make):
    path, _ = make()
    for one in (path, outputs.receipt_of(path)):
        one.rename(one.with_name(one.name.replace("a.parquet", "b.parquet")))
    with pytest.raises(LakeError, match=r"file b\.parquet, the receipt says a\.parquet") as failed:
        receipts.verify(path.with_name("b.parquet"))
    assert not isinstance(failed.value, BadInputError)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"rows": 1}',
        '{"bytes": "x", "sha256": "", "rows": 1}',
        "\xff",
        "[" * 100_000,
        GOOD % '"1"',
        (GOOD % "1").replace('"a.parquet"', "1"),
        GOOD % "1e999",
        GOOD % "NaN",
        GOOD % "1.5",
        GOOD % "true",
        (GOOD % "1").replace("csv", "xlsx"),
    ],
)
def test_what_is_no_receipt_is_bad_input(make, text):
    path, _ = make()
    outputs.receipt_of(path).write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInputError, match=r"a\.parquet\.receipt\.json: is no receipt of a slice"):
        receipts.verify(path)


@pytest.mark.parametrize("name", ["", ".", "/", "n" * 300, "a\0b", "out", "\udcff"])
def test_what_is_no_name_of_a_file_is_bad_input(tmp_path, name):
    with pytest.raises(BadInputError, match="no such file"):
        receipts.verify(Path(name))


def test_a_slice_that_cannot_be_read_is_named(make, monkeypatch):
    path, _ = make()

    def refuses(self, *_, **__):
        raise PermissionError(13, "Permission denied")

    for name in ("open", "read_bytes"):
        monkeypatch.setattr(Path, name, refuses)
        with pytest.raises(LakeError, match=r"a\.parquet.*: cannot be read \(Permission denied\)"):
            receipts.verify(path)
        monkeypatch.undo()


def test_a_file_or_receipt_that_is_not_there_is_bad_input(make, tmp_path):
    path, _ = make()
    with pytest.raises(BadInputError, match="b: no such file"):
        receipts.verify(tmp_path / "b")
    outputs.receipt_of(path).unlink()
    with pytest.raises(BadInputError, match=r"a\.parquet\.receipt\.json: no such file"):
        receipts.verify(path)
    assert set(content(path.parent)) == {"a.parquet"}
