"""The file of a slice: whole, nobody else's, and of one state of the lake."""

import math
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import Timeout

from lake import compact, files, locks, read, slices
from lake.errors import BadInputError, LakeError
from lake.windows import Window
from tests.conftest import content
from tests.lake.sliceable import WINDOW, bars, everything, sliced


def test_a_file_that_is_there_is_left_alone_unless_told(lake, tmp_path):
    (tmp_path / "a.parquet").write_text("mine")
    with pytest.raises(BadInputError, match=r"a\.parquet: is there already"):
        sliced(lake, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_text() == "mine"
    (tmp_path / "a.parquet").unlink()
    sliced(lake, tmp_path / "a.parquet", ["SOLUSDT"])
    done = sliced(lake, tmp_path / "a.parquet", overwrite=True)
    assert pq.ParquetFile(done.path).metadata.num_rows == done.rows == 80
    assert {path.name for path in done.path.parent.iterdir()} == {"a.parquet", "a.parquet.receipt.json", "lake"}


def test_what_is_no_slice_of_ours_is_never_replaced_whatever_lies_beside_it(lake, tmp_path):
    out, receipt = tmp_path / "a", tmp_path / "a.receipt.json"
    sliced(lake, out)
    told, size = receipt.read_bytes(), out.stat().st_size
    for mine in (b"mine", bytes(size), out.read_bytes() + b"\n"):
        out.write_bytes(mine)
        for beside in (told, None, b"[]", b"{}"):
            receipt.unlink(missing_ok=True)
            if beside is not None:
                receipt.write_bytes(beside)
            with pytest.raises(BadInputError, match=r"replaced|no receipt"):
                sliced(lake, out, overwrite=True)
            assert out.read_bytes() == mine
            assert not receipt.exists() if beside is None else receipt.read_bytes() == beside


def test_nor_is_the_receipt_of_another(lake, tmp_path):
    sliced(lake, tmp_path / "b")
    out = tmp_path / "a"
    out.write_bytes((tmp_path / "b").read_bytes())
    shutil.copy(tmp_path / "b.receipt.json", tmp_path / "a.receipt.json")
    with pytest.raises(BadInputError, match="no receipt"):
        sliced(lake, out, overwrite=True)


@pytest.mark.parametrize("out", [
    ".prefect/prefect.db", ".prefect/new", ".hidden", ".a/b", "config.yml", "slices/Config.YML", "ticks/x", "minutes/x",
])  # fmt: skip
def test_no_slice_is_hidden_in_the_lakes_folder_or_becomes_its_settings_even_in_a_shell(lake, out):
    (lake.base / ".prefect").mkdir(exist_ok=True)
    (lake.base / ".prefect" / "prefect.db").write_text("of Prefect's")
    with pytest.raises(BadInputError, match="among the lake's own files"):
        sliced(lake, out, overwrite=True)
    assert (lake.base / ".prefect" / "prefect.db").read_text() == "of Prefect's"


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
