"""Slices that are refused, with what is wrong in one line."""

import re

import duckdb
import pytest

from lake import inputs, outputs, slices
from lake.errors import BadInputError, LakeError
from lake.layout import Layout
from lake.windows import Window
from tests.lake.sliceable import DAYS, everything, sliced


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
        ({"tf": "1m", "window": Window.parse("2025-10-20T23:59:01Z", "2025-10-21T00:00:00Z")},
         "2025-10-20T23:59:01Z/2025-10-21T00:00:00Z: no window of 1m begins in it"),
        ({"tf": "1d", "window": Window.parse("2025-10-20T05:00:00Z", "2025-10-21")}, "no window of 1d begins in it"),
        ({"tf": "1M", "window": DAYS, "source": "klines"}, "tf '1M': expected one of"),
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
