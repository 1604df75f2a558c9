"""Bit rot: a file that is not what was written gets into no new file, and is neither served nor signed after a scrub.

The campaign flips single bits at seeded places; `benchmarks/bit_rot.py` flips 400 of each kind.
"""

import hashlib
import os
import random
from datetime import UTC, date, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from benchmarks import bit_rot
from lake import (
    checksums,
    compact,
    damage,
    doctor_data,
    files,
    hour_bars,
    kline_store,
    raw_sums,
    read,
    scrub,
    transform,
    verified,
)
from lake.errors import DamagedError, LakeError
from lake.ledger import Ledger
from lake.windows import Window
from tests import oracle
from tests.lake.sliceable import bars, sliced
from tests.lake.test_views import put

DAY = date(2025, 10, 20)
NOW = datetime(2025, 10, 22, 12, tzinfo=UTC)
ALL = Window.parse("2025-10-18", "2025-10-24")


@pytest.fixture
def day(layout, raw):
    """A lake with a day of three hours of bars, made from two raw parts."""
    raw.put(*[raw.trade(n, n * 600, f"{100 + n}.5") for n in range(1, 12)], raw.quote(1, 601))
    raw.put(*[raw.trade(n, n * 600, f"{100 + n}.5") for n in range(12, 18)])
    transform.run(layout, "SOLUSDT")
    return layout


def rows(layout):
    return oracle.rows(read.bars(layout, "SOLUSDT", ALL))


def values(layout):
    """The bars without what is proved of them: with a part, proof can be lost."""
    return {at: bar | {"complete": None} for at, bar in rows(layout).items()}


def flip(path, bit):
    """Flip one bit of a file in place, as rot does: neither its size nor its time changes."""
    state, data = path.stat(), bytearray(path.read_bytes())
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def flips(path, count, seed=1):
    """So many places of a file, half of them in its last 2,000 bytes: there is the footer of a small file."""
    chance, bits = random.Random(seed), path.stat().st_size * 8
    return [chance.randrange(max(bits - 16_000, 0) if n % 2 else 0, bits) for n in range(count)]


def test_every_parquet_file_has_its_checksum_in_itself_and_one_for_each_page(layout, day):
    path = day.hour_file("SOLUSDT", datetime(2025, 10, 20, tzinfo=UTC))
    found = checksums.read(path)
    assert found.verified
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read.signed(path)[1] == found.sha256


@pytest.mark.parametrize("rows", [0, 1, 3600])
def test_each_flipped_bit_of_a_file_is_noticed(tmp_path, rows):
    path = tmp_path / "bars.parquet"
    table = bars("SOLUSDT", datetime(2025, 10, 20, tzinfo=UTC), rows)
    files.write_parquet(path, table, "snappy")
    whole = path.read_bytes()
    for bit in flips(path, 60) + [len(whole) * 8 - 1 - n * 8 for n in range(400)]:
        flip(path, bit)
        with pytest.raises(DamagedError):
            checksums.read(path) and files.opened(path, checksums.read(path))
        path.write_bytes(whole)
    assert checksums.read(path).verified


def test_no_rotten_day_gets_into_a_new_file_and_the_late_trade_is_not_lost(day, raw):
    whole = compact.run(day, "SOLUSDT", DAY).path
    before = rows(day)
    for number, bit in enumerate(flips(whole, 1)):
        flip(whole, bit)
        late = 50 + number
        raw.put(raw.trade(late, 80_000 + number, recv=90_000))
        transform.run(day, "SOLUSDT")
        compact.run(day, "SOLUSDT", DAY)
        found = rows(day)
        assert {at: bar for at, bar in found.items() if at in before and at != max(before)} == {
            at: bar for at, bar in before.items() if at != max(before)
        }
        assert sum(bar["trade_count"] for bar in found.values()) == 17 + number + 1
        assert checksums.noted_beside(whole) == checksums.read(whole).sha256
    assert len(damage.kept(day)) == 1


@pytest.mark.parametrize("lost", [False, True])
def test_compaction_never_signs_a_rotten_file(day, lost):
    done = compact.run(day, "SOLUSDT", DAY)
    before = rows(day)
    if lost:
        compact.checksum_file(day, "SOLUSDT", DAY).unlink()
    flip(done.path, 4000 * 8)
    with pytest.raises(LakeError, match=r"damaged .* and set aside: transform-hour builds its hours again"):
        compact.run(day, "SOLUSDT", DAY)
    assert not done.path.exists()
    transform.run(day, "SOLUSDT")
    assert compact.run(day, "SOLUSDT", DAY).sha256 == done.sha256
    assert rows(day) == before


def test_a_lost_checksum_of_a_good_day_is_written_again(day):
    done = compact.run(day, "SOLUSDT", DAY)
    beside = compact.checksum_file(day, "SOLUSDT", DAY)
    for text in (None, "rotten"):
        beside.unlink() if text is None else beside.write_text(text)
        assert scrub.run(day, NOW).damaged == []
        assert beside.read_text() == f"{done.sha256}  {done.path.name}\n"


def test_compaction_signs_no_rotten_hour(day):
    path = day.hour_file("SOLUSDT", datetime(2025, 10, 20, 1, tzinfo=UTC))
    before = rows(day)
    flip(path, 4000)
    with pytest.raises(LakeError, match="set aside"):
        compact.run(day, "SOLUSDT", DAY)
    assert not day.day_file("SOLUSDT", DAY).exists()
    transform.run(day, "SOLUSDT")
    compact.run(day, "SOLUSDT", DAY)
    assert rows(day) == before


def test_an_hour_that_vanished_is_built_again_and_no_day_is_signed_without_it(day):
    before = rows(day)
    day.hour_file("SOLUSDT", datetime(2025, 10, 20, 1, tzinfo=UTC)).unlink()
    with pytest.raises(LakeError, match="bars of the hours 01 were written and are missing"):
        compact.run(day, "SOLUSDT", DAY)
    assert transform.pending(day) == ["SOLUSDT"]
    assert transform.run(day, "SOLUSDT").hours >= 1
    compact.run(day, "SOLUSDT", DAY)
    assert rows(day) == before


def test_an_hour_that_vanished_with_its_raw_parts_is_reported_once_and_forgotten(day, raw):
    day.hour_file("SOLUSDT", datetime(2025, 10, 20, 1, tzinfo=UTC)).unlink()
    for path in day.raw.rglob("part_*"):
        path.unlink()
    done = transform.run(day, "SOLUSDT")
    assert done.lost == 1
    assert [path.name for path in damage.kept(day)] == ["bars_1s_01.parquet.reason.txt"]
    assert transform.run(day, "SOLUSDT").lost == 0
    assert doctor_data.verified(day, NOW).state == "warn"
    compact.run(day, "SOLUSDT", DAY)


def test_a_rotten_raw_part_is_never_used_and_its_hours_keep_their_bars(day, raw):
    before = rows(day)
    part = next(day.raw.rglob("part_0001.jsonl"))
    data = part.read_bytes()
    flip(part, data.index(b"101.5") * 8 + 1)
    raw.put(raw.trade(18, 3_000, "999.5"))
    done = transform.run(day, "SOLUSDT")
    assert (done.damaged, done.kept) == (1, 1)
    assert rows(day) == before
    assert not part.exists()
    assert "not the one in SHA256SUMS" in damage.kept(day)[0].read_text()


@pytest.mark.parametrize("sums", [True, False])
def test_a_lost_ledger_and_a_rotten_digit_do_not_replace_a_signed_day(day, raw, sums):
    done = compact.run(day, "SOLUSDT", DAY)
    before = rows(day)
    part = next(day.raw.rglob("part_0001.jsonl"))
    flip(part, part.read_bytes().index(b"101.5") * 8 + 1)
    if not sums:
        (part.parent / raw_sums.NAME).unlink()
    day.ledger.unlink()
    found = transform.run(day, "SOLUSDT")
    assert (found.damaged, found.kept) == ((1, 0) if sums else (0, 1)), "hours without a part are not touched at all"
    assert values(day) == {at: bar | {"complete": None} for at, bar in before.items()}
    assert checksums.noted_beside(done.path) == done.sha256
    raw.put(raw.trade(18, 700))
    transform.run(day, "SOLUSDT")
    assert rows(day)[DAY_US + 600_000_000] == before[DAY_US + 600_000_000]


DAY_US = Window.of_day(DAY).start_us


def test_sha256sums_has_every_part_that_is_closed(day):
    folder = next(day.raw.rglob("part_0001.jsonl")).parent
    parts = sorted(path for path in folder.iterdir() if path.name.startswith("part_"))
    assert raw_sums.noted(folder) == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in parts}


def test_a_torn_line_of_sha256sums_costs_itself_alone(tmp_path):
    raw_sums.add(tmp_path, {"part_0001.jsonl": "a" * 64})
    with (tmp_path / raw_sums.NAME).open("a") as handle:
        handle.write("b" * 30)
    raw_sums.add(tmp_path, {"part_0002.jsonl": "c" * 64})
    assert raw_sums.noted(tmp_path) == {"part_0001.jsonl": "a" * 64, "part_0002.jsonl": "c" * 64}


def test_rotten_klines_are_merged_into_nothing_and_lacking_again(layout):
    put(layout, "SOLUSDT", 0, 5, 9)
    path = layout.kline_file("SOLUSDT", DAY, "1m")
    new = kline_store.read(layout, "SOLUSDT", "1m", DAY)
    flip(path, 300 * 8)
    with pytest.raises(DamagedError):
        kline_store.read(layout, "SOLUSDT", "1m", DAY)
    held = kline_store.survey(layout, "SOLUSDT", "1m", Window.of_day(DAY), Window.of_day(DAY).end_us)
    assert len(held[DAY].lacking) == 1440
    kline_store.put(layout, "SOLUSDT", "1m", DAY, new, "snappy", None)
    assert kline_store.read(layout, "SOLUSDT", "1m", DAY).equals(new)


def test_a_slice_of_a_rotten_file_is_refused_by_name(day, tmp_path):
    compact.run(day, "SOLUSDT", DAY)
    flip(day.day_file("SOLUSDT", DAY), 5000 * 8)
    for tf in ("1s", "1m"):
        with pytest.raises(DamagedError, match=r"2025-10-20\.parquet: damaged"):
            sliced(day, tmp_path / "out.parquet", ["SOLUSDT"], Window.of_day(DAY), tf)
    assert list(tmp_path.glob("out*")) == []


def test_the_scrub_sets_aside_and_rebuilds_and_is_then_content(day):
    put(day, "SOLUSDT", 0, 5, 9)
    compact.run(day, "SOLUSDT", DAY)
    before, kline = rows(day), day.kline_file("SOLUSDT", DAY, "1m")
    assert scrub.run(day, NOW).damaged == []
    flip(day.day_file("SOLUSDT", DAY), 5000 * 8)
    flip(kline, 500 * 8)
    found = scrub.run(day, NOW)
    assert [(one.path, one.done) for one in found.damaged] == [
        ("backfill/binance/SOLUSDT/year=2025/month=10/day=20/klines_1m.parquet",
         "fetch it again: crypto-lake backfill-binance --symbols SOLUSDT --interval 1m --start 2025-10-20 --end "
         "2025-10-21"),
        ("parquet/binance/SOLUSDT/2025-10-20.parquet", "built again from its raw parts"),
    ]  # fmt: skip
    assert not kline.exists()
    assert rows(day) == before
    assert scrub.run(day, NOW).damaged == []
    assert verified.status(day).damaged == 2


def test_the_scrub_reports_a_day_that_cannot_be_built_again(day):
    compact.run(day, "SOLUSDT", DAY)
    for path in day.raw.rglob("part_*"):
        path.unlink()
    flip(day.day_file("SOLUSDT", DAY), 5000 * 8)
    (one,) = scrub.run(day, NOW).damaged
    assert one.done == "it cannot be built again, as raw parts are gone: restore a backup"


def test_the_scrub_goes_on_where_it_ended(day):
    put(day, "SOLUSDT", 0, 5, 9)
    first = scrub.run(day, NOW, seconds=-1)
    assert (first.items, first.left) == (0, 3)
    assert verified.status(day).oldest_us is None
    scrub.run(day, NOW)
    later = scrub.run(day, NOW + timedelta(days=1))
    assert (later.items, later.left, verified.status(day).unverified) == (3, 0, 0)
    assert doctor_data.verified(day, NOW + timedelta(days=2)).state == "ok"
    assert doctor_data.verified(day, NOW + timedelta(days=20)).state == "warn"


def test_a_lake_made_before_is_taken_over_once_and_then_verified(day):
    put(day, "SOLUSDT", 0, 5, 9)
    old = [*day.hour_files("SOLUSDT", DAY).values(), day.kline_file("SOLUSDT", DAY, "1m")]
    for path in old:
        pq.write_table(pq.read_table(path, partitioning=None).replace_schema_metadata(None), path)
    for folder in day.raw.rglob(raw_sums.NAME):
        folder.unlink()
    assert not checksums.read(old[-1]).verified
    assert scrub.run(day, NOW).adopted == len(old) + 2
    assert all(checksums.read(path).verified for path in old)
    assert scrub.run(day, NOW).adopted == 0
    flip(old[-1], 500 * 8)
    with pytest.raises(DamagedError, match=r"not the one in klines_1m\.parquet\.sha256"):
        kline_store.read(day, "SOLUSDT", "1m", DAY)


def test_bars_with_fewer_trades_than_the_ledger_knows_are_built_again_by_the_scrub(day):
    compact.run(day, "SOLUSDT", DAY)
    before, path = rows(day), day.day_file("SOLUSDT", DAY)
    table = read.file(path)
    files.write_parquet(path, table.slice(1800), "snappy")
    found = scrub.run(day, NOW)
    assert [one.path for one in found.damaged] == [
        "parquet/binance/SOLUSDT/year=2025/month=10/day=20/bars_1s_00.parquet"
    ]
    assert rows(day) == before


@pytest.mark.parametrize("kind", bit_rot.KINDS)
def test_a_flipped_bit_gets_into_no_new_file_and_is_not_served_after_a_scrub(kind):
    assert bit_rot.campaign(kind, 2, seed=7) == {}


def test_the_ledger_knows_which_hours_have_bars(day):
    with Ledger(day, "SOLUSDT") as ledger:
        assert len(ledger.built_hours(DAY)) == 3
        assert hour_bars.vanished(day, ledger) == []
