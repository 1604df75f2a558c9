import hashlib
import shutil
import subprocess
from datetime import date, timedelta

import duckdb
import pytest

from lake import compact, files, read, transform, views
from lake.errors import BadInputError, LakeError
from lake.windows import Window
from tests import oracle
from tests.conftest import content

DAY = date(2025, 10, 20)
TOMORROW = DAY + timedelta(days=1)
ALL = Window.parse("2025-10-18", "2025-10-24")


@pytest.fixture
def day(layout, raw):
    """A lake with a day of three hours of bars."""
    raw.put(*[raw.trade(n, n * 600, f"{100 + n}.5") for n in range(1, 20)], raw.trade(21, 80_000), raw.quote(1, 601))
    transform.run(layout, "SOLUSDT")
    return layout


def rows(layout):
    return oracle.rows(read.bars(layout, "SOLUSDT", ALL))


def test_a_day_becomes_one_sorted_file_with_the_rows_of_its_hours(day):
    before = rows(day)
    done = compact.run(day, "SOLUSDT", DAY)
    assert (done.rows, rows(day)) == (len(before), before)
    times = read.file(day.day_file("SOLUSDT", DAY))["window_start"].to_pylist()
    assert times == sorted(set(times))
    assert not day.hour_files("SOLUSDT", DAY)
    assert not (day.parquet / "SOLUSDT" / "year=2025").exists()
    assert duckdb.sql(f"SELECT count(*) FROM '{day.parquet}/**/*.parquet'").fetchall() == [(len(before),)]


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not on this system")
def test_sha256sum_accepts_the_checksum(day):
    done = compact.run(day, "SOLUSDT", DAY)
    told = subprocess.run(["sha256sum", "-c", done.path.name + ".sha256"], cwd=done.path.parent, capture_output=True)
    assert told.returncode == 0
    assert hashlib.sha256(done.path.read_bytes()).hexdigest() == done.sha256


def test_compacting_twice_changes_nothing(day):
    compact.run(day, "SOLUSDT", DAY)
    before = content(day.base)
    assert compact.pending(day, None, None, TOMORROW) == []
    compact.run(day, "SOLUSDT", DAY)
    assert content(day.base) == before


def test_a_day_is_pending_once_it_is_over(day):
    assert compact.pending(day, None, None, DAY) == []
    assert compact.pending(day, None, None, TOMORROW) == [("SOLUSDT", DAY)]
    with pytest.raises(BadInputError, match="not over"):
        compact.pending(day, None, DAY, DAY)


def test_late_trades_of_a_compacted_day_count_at_once_and_the_day_is_pending_again(day, raw):
    compact.run(day, "SOLUSDT", DAY)
    raw.put(raw.trade(20, 79_000, recv=90_000))
    transform.run(day, "SOLUSDT")
    found = rows(day)
    assert sum(bar["trade_count"] for bar in found.values()) == 21
    seen = views.connect(day).sql("SELECT count(*), sum(trade_count) FROM bars_1s").fetchall()
    assert seen == [(len(found), 21)]
    assert compact.pending(day, None, None, TOMORROW) == [("SOLUSDT", DAY)]
    compact.run(day, "SOLUSDT", DAY)
    assert rows(day) == found


def test_made_anew_without_any_change_a_compacted_day_stays_compacted(day):
    compact.run(day, "SOLUSDT", DAY)
    before = content(day.parquet)
    transform.run(day, "SOLUSDT", ALL)
    assert content(day.parquet) == before


@pytest.mark.parametrize("step", ["sign", "_take_away"])
def test_killed_in_between_no_row_is_lost_or_counted_twice_and_the_next_run_ends_it(day, monkeypatch, step):
    before = rows(day)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(compact, step, die)
        with pytest.raises(KeyboardInterrupt):
            compact.run(day, "SOLUSDT", DAY)
    assert rows(day) == before
    assert views.connect(day).sql("SELECT count(*) FROM bars_1s").fetchall() == [(len(before),)]
    assert compact.pending(day, None, None, TOMORROW) == [("SOLUSDT", DAY)]
    compact.run(day, "SOLUSDT", DAY)
    assert rows(day) == before


def test_a_file_that_does_not_hold_the_rows_of_its_hours_never_takes_their_place(day, monkeypatch):
    before = rows(day)
    whole = files.write_parquet
    monkeypatch.setattr(files, "write_parquet", lambda path, table, codec: whole(path, table.slice(1), codec))
    with pytest.raises(LakeError, match="hour files are kept"):
        compact.run(day, "SOLUSDT", DAY)
    assert rows(day) == before


@pytest.mark.parametrize("codec", ["snappy", "zstd", "gzip", "none"])
def test_each_codec_gives_the_same_rows(day, codec):
    before = rows(day)
    compact.run(day, "SOLUSDT", DAY, codec)
    assert rows(day) == before
