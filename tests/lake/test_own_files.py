"""Foreign files among the data: every reader passes over them, and doctor reports them. The views are DuckDB's own."""

import shutil
from datetime import UTC, date, datetime

import duckdb
import pyarrow as pa
import pytest

import lake
from expectations import tables
from lake import doctor_disk, files, health_files, leftovers, names, own_files, raw, selections, transform, usage, views
from lake.errors import BadInputError
from lake.layout import Layout, day_of
from lake.windows import Window
from tests.lake.sliceable import bars
from tests.lake.test_views import everything, put

DATE = date(2025, 10, 20)
TODAY = date(2025, 10, 25)
COPIES = ("{stem} (1){suffix}", "{stem} copy{suffix}", "{stem}.sync-conflict-20251020-120000-ABCDEFG{suffix}",
          "{stem} (conflicted copy 2025-10-20){suffix}", "Copy of {stem}{suffix}", "{stem} 2{suffix}")  # fmt: skip
BESIDE = ("._{stem}{suffix}", ".DS_Store", ".syncthing.{stem}{suffix}.tmp", "~${stem}{suffix}", "desktop.ini")
FOLDERS = ("{name} (1)", "{name} copy", "{name} 2", ".Trash", ".stversions", "Copy of {name}", "{name}~OLD",
           "{name}.sync-conflict-20251020-120000-ABCDEFG")  # fmt: skip


@pytest.fixture
def own(layout, raw):
    """A lake with something of each kind, hours and a compacted day of bars."""
    everything(layout, raw)
    files.write_parquet(layout.day_file("SOLUSDT", day_of("2025-10-19")),
                        bars("SOLUSDT", datetime(2025, 10, 19, tzinfo=UTC), 50), "snappy")  # fmt: skip
    put(layout, "币安人生USDT", 0)
    return layout


def data(layout):
    return [path for name in sorted(own_files.DATA) for path in sorted((layout.base / name).rglob("*"))]


def put_strangers(layout):
    """Copies of every data file beside it, junk beside it, and of every folder a copy beside it; return how many."""
    placed = 0
    for path in data(layout):
        parts = path.relative_to(layout.base).parts
        if path.is_file():
            whole = [form.format(stem=path.stem, suffix=path.suffix) for form in COPIES]
            for name in whole:
                shutil.copyfile(path, path.with_name(name))
            for name, content in zip(BESIDE, (b"\0" * 4096, b"", b"x", b"", b"PAR1"), strict=True):
                path.with_name(name.format(stem=path.stem, suffix=path.suffix)).write_bytes(content)
        elif len(parts) > 1:
            for form in FOLDERS:
                shutil.copytree(path, path.with_name(form.format(name=path.name)), dirs_exist_ok=True)
                placed += 1
    return placed


def rows(layout):
    """The rows of every view."""
    with views.connect(layout) as con:
        return {view: con.sql(f"FROM {view} ORDER BY ALL").fetchall() for view in views.VIEWS}


def seen(layout):
    """What every reader of the lake finds."""
    window = Window.parse("2025-10-19", "2025-10-21")
    found = rows(layout)
    found["frames"] = [
        read(name, "2025-10-19", "2025-10-21", form="arrow", base=layout.base).to_pylist()
        for read, name in (
            (lake.bars, "SOLUSDT"), (lake.klines, "SOLUSDT"), (lake.funding, "SOLUSDT"), (lake.macro, "EURUSD=X"),
        )
    ]  # fmt: skip
    found["names"] = [
        layout.bar_symbols(), layout.raw_symbols(), layout.kline_symbols(), layout.derivative_symbols(),
        layout.tickers(),
    ]  # fmt: skip
    found["days"] = [
        layout.hour_days("SOLUSDT"), layout.compacted_days("SOLUSDT"), layout.kline_days("SOLUSDT", "1m"),
        layout.funding_years("SOLUSDT"), layout.open_interest_days("SOLUSDT"), layout.macro_days("EURUSD=X"),
        list(raw.days(layout, "SOLUSDT")),
    ]  # fmt: skip
    found["raw"] = raw.parts(layout, "SOLUSDT", DATE)
    found["files"] = selections.coverage(layout, ["SOLUSDT"], window).files
    found["health"] = health_files.today(layout, DATE)
    found["pending"] = transform.pending(layout)
    found["validated"] = [
        table.to_pylist()
        for name, of in tables.TABLES.items()
        for table in of.files(layout, "EURUSD=X" if name == "macro" else "SOLUSDT", DATE, "1m", _path)
    ]
    measured = usage.measure(layout, TODAY)
    found["usage"] = {name: one.files for name, one in measured.kinds.items() if name in own_files.DATA}
    found["usage of symbols"] = {
        name: {kind: one.files for kind, one in kinds.items()} for name, kinds in measured.symbols.items()
    }
    found["rate"] = usage.rate(layout, TODAY).files_a_day
    return found


def _path(path):
    return pa.table({"path": [str(path)]})


def test_every_reader_takes_exactly_the_names_that_the_lake_writes(own):
    before = seen(own)
    assert all(before[view] for view in views.VIEWS)
    put_strangers(own)
    after = seen(own)
    assert {name: after[name] for name in before if after[name] != before[name]} == {}


def test_a_foreign_folder_whose_files_cannot_be_read_costs_nothing(own):
    """A copy that was broken off: its name sorts before the symbol's own, so that its files are the first of all."""
    before = rows(own)
    roots = (own.parquet, own.backfill, own.derivatives / "funding", own.derivatives / "open_interest", own.macro)
    for root in roots:
        name = "EURUSD=X" if root == own.macro else "SOLUSDT"
        copy = root / f"{name} (1)"
        shutil.copytree(root / name, copy)
        shutil.copytree(copy, root / "A 2")
        for path in [*copy.rglob("*.parquet"), *(root / "A 2").rglob("*.parquet")]:
            path.write_bytes(b"")
    assert rows(own) == before


def test_a_copy_of_a_symbols_folder_under_another_symbols_name_is_no_second_count(own):
    shutil.copytree(own.parquet / "SOLUSDT", own.parquet / "SOLUSDT2")
    con = views.connect(own)
    counts = dict(con.sql("SELECT symbol, count(*) FROM bars_1s GROUP BY ALL").fetchall())
    assert counts == {"SOLUSDT": 112}


def test_case_26_what_macos_puts_beside_a_file_breaks_no_view_of_plain_duckdb(own):
    path = own.macro_file("EURUSD=X", DATE)
    path.with_name("._macro_minute.parquet").write_bytes(bytes(range(256)) * 16)
    shutil.copyfile(path, path.with_name("macro_minute (1).parquet"))
    with duckdb.connect() as con:
        con.execute(views.sql(own))
        assert con.sql("SELECT count(*) FROM macro_minute WHERE ticker = 'EURUSD=X'").fetchall() == [(1,)]
        assert con.sql("SELECT count(*) FROM dxy_synthetic_minute").fetchall() == [(1,)]


def test_every_name_that_the_lake_takes_is_one_that_the_views_take(layout):
    """`sql/macros/own_files.sql` has no access to `lake.names`, so each letter that can be in a name is tried."""
    con = views.macros()
    letters = [chr(code) for code in range(1, 0x3000) if not 0xD800 <= code <= 0xDFFF and chr(code) not in "/\\"]
    for check, macro in ((names.symbol, "is_symbol"), (names.ticker, "is_ticker")):
        tried = [word for letter in letters for word in (f"A{letter}A", f"{letter}A")]
        mine = [_is(check, word) for word in tried]
        theirs = con.execute(f"SELECT list_transform($1, lambda word: {macro}(word))", [tried]).fetchone()[0]
        assert [word for word, own, its in zip(tried, mine, theirs, strict=True) if own and not its] == []
        wider = [
            word
            for word, own, its in zip(tried, mine, theirs, strict=True)
            if its and not own and word.isascii() and word.isprintable()
        ]
        assert {letter for word in wider for letter in word} <= {"A", "&"}


def _is(check, word):
    try:
        return check(word) == word
    except BadInputError:
        return False


@pytest.mark.parametrize(
    "name", ["bars_1s_24.parquet", "bars_1s_٠٥.parquet", "bars_1s_5.parquet", "BARS_1S_05.parquet"]
)
def test_an_hour_that_no_day_has_is_nobodys(layout, name):
    folder = layout.hour_folder("SOLUSDT", DATE)
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"")
    (folder / "bars_1s_07.parquet").mkdir()
    assert layout.hour_files("SOLUSDT", DATE) == {}
    assert layout.hour_days("SOLUSDT") == []


@pytest.mark.parametrize(
    "name", ["part_00001.jsonl", "part_1.jsonl", "part_0000.jsonl", "part_٠٠٠١.jsonl", "part_0001.jsonl.gz"]
)
def test_a_part_is_one_only_by_the_name_that_the_lake_writes(layout, raw_lines, name):
    (raw_lines / name).write_bytes(b"{}\n")
    assert [part.name for part in raw.parts(layout, "SOLUSDT", DATE)] == ["part_0001.jsonl"]
    assert raw.next_number(raw_lines) == 2


def test_an_open_part_is_one_only_by_the_name_that_the_lake_writes(layout, raw_lines):
    for name in (".part_0002.jsonl.open", "._.part_0002.jsonl.open", ".part_0003 (1).jsonl.open", ".part_x.open"):
        (raw_lines / name).write_bytes(b"{}\n")
    assert raw.open_parts(raw_lines) == [raw_lines / ".part_0002.jsonl.open"]
    raw.adopt_orphans(layout, [raw_lines])
    assert sorted(path.name for path in raw_lines.iterdir() if not path.name.startswith(".")) == [
        "SHA256SUMS", "part_0001.jsonl", "part_0002.jsonl",
    ]  # fmt: skip


@pytest.fixture
def raw_lines(layout, raw):
    """A raw day folder with one part."""
    return raw.put(raw.trade(1, 1)).parent


def test_the_names_that_the_layout_makes_are_the_lakes_own(own):
    for path in data(own):
        parts = path.relative_to(own.base).parts
        assert own_files.is_folder(parts) if path.is_dir() else own_files.names_in(parts[:-1])(path.name), path
    for day in ("year=2025/month=02/day=30", "year=2025/month=13/day=01", "year=2025/month=1/day=01", "year=2025 (1)"):
        assert not own_files.is_folder(("backfill", "binance", "SOLUSDT", *day.split("/")))


def test_doctor_names_what_it_ignored_and_removes_nothing(own):
    assert doctor_disk.foreign(own, leftovers.find(own)).line == "foreign files: none among the lake's data"
    beside = own.macro_file("EURUSD=X", DATE).with_name("._macro_minute.parquet")
    beside.write_bytes(b"")
    copy = own.parquet / "SOLUSDT (1)"
    shutil.copytree(own.parquet / "SOLUSDT", copy)
    (own.raw / "SOLUSDT" / "2025-10-20" / ".part_0002.jsonl.open").write_bytes(b"")
    (own.base / "notes.txt").write_text("not among the data")
    found = leftovers.find(own)
    said = doctor_disk.foreign(own, found)
    assert (said.state, said.remedy) == ("warn", "move them away")
    assert said.said.startswith("2 that no reader takes: ")
    assert {path.relative_to(own.base).as_posix() for path in found.examples} == {
        "macro/minute/EURUSD=X/year=2025/month=10/day=20/._macro_minute.parquet", "parquet/binance/SOLUSDT (1)",
    }  # fmt: skip
    leftovers.sweep(own, found)
    assert beside.exists()
    assert copy.exists()


def test_doctor_shows_the_first_names_and_counts_the_rest(own):
    put_strangers(own)
    found = leftovers.find(own)
    said = doctor_disk.foreign(own, found)
    assert len(found.examples) == 3
    assert said.said.endswith(f" and {found.foreign - 3:,} more")
    assert "not all of the lake" in doctor_disk.foreign(own, leftovers.find(own, seconds=-1)).said


def test_a_folder_of_the_lake_that_is_a_link_is_no_stranger(own, tmp_path):
    (own.raw / "SOLUSDT").rename(tmp_path / "elsewhere")
    (own.raw / "SOLUSDT").symlink_to(tmp_path / "elsewhere")
    assert leftovers.find(own).foreign == 0
    assert Layout(own.base).raw_symbols() == ["SOLUSDT"]


def test_disk_usage_counts_strangers_as_other(own):
    before = usage.measure(own, TODAY)
    (own.raw / "SOLUSDT (1)" / "2025-10-20").mkdir(parents=True)
    (own.raw / "SOLUSDT (1)" / "2025-10-20" / "part_0001.jsonl").write_bytes(bytes(100))
    own.kline_file("SOLUSDT", DATE, "1m").with_name("klines_1m (1).parquet").write_bytes(bytes(10))
    after = usage.measure(own, TODAY)
    assert after.kinds["other"].bytes - before.kinds["other"].bytes == 110
    assert after.bytes - before.bytes == 110
    assert after.symbols.keys() == before.symbols.keys()


def test_a_sweep_takes_only_the_temporary_files_that_the_lake_makes(tmp_path):
    theirs = [".syncthing.klines_1m.parquet.tmp", ".x.1-abc.tmp", ".a.tmp"]
    mine = [".klines_1m.parquet.7-0123abcd.tmp", ".klines_1m.parquet.sha256.7-0123abcd.tmp"]
    for name in theirs + mine:
        (tmp_path / name).touch()
    assert files.sweep(tmp_path, "klines_1m.parquet") == [tmp_path / mine[0]]
    assert files.sweep(tmp_path) == [tmp_path / mine[1]]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(theirs)
