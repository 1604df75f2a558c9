"""Trade ids that start again: both numberings are in the bars, nothing is proved across, and nothing else changes."""

import shutil

import pytest

import lake
from lake import compact, gaps, read, transform, views
from lake.windows import Window, moment
from tests import oracle
from tests.conftest import DAY, content
from tests.lake.recorded import klines_of, put_klines
from tests.lake.test_transform import at, built

HOUR = 3600


def numbered(raw, first, start, count, price="1.0", step=1):
    """Trades with consecutive ids, one every ``step`` seconds."""
    return [raw.trade(first + n, start + n * step, price) for n in range(count)]


@pytest.mark.parametrize("start", [100, HOUR - 3, HOUR, 3 * HOUR + 7, 30 * HOUR])
@pytest.mark.parametrize("first", [0, 1, 995, 1000])
def test_after_a_reset_the_trades_of_both_numberings_are_in_the_bars(layout, raw, start, first):
    """Within an hour, across hours and days; from zero on, and with ids that the numbering before has too."""
    old, new = numbered(raw, 1000, 10, 12), numbered(raw, first, start, 12, "2.0")
    raw.put(*old)
    transform.run(layout, "SOLUSDT")
    raw.put(*new)
    result = transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars(old + new)
    assert sum(bar["trade_count"] for bar in built(layout).values()) == 24
    assert (result.contradictions, result.numberings) == (0, 1)
    assert gaps.starts(layout, "SOLUSDT") == [at(start)]


def test_no_flat_bar_and_no_proof_crosses_two_numberings_whatever_their_ids(layout, raw):
    """The new numbering ends with 19, and the one before begins with 20: only the numbering tells them apart."""
    raw.put(*numbered(raw, 20, 0, 12), *numbered(raw, 8, 100, 12))
    transform.run(layout, "SOLUSDT")
    found = built(layout)
    assert gaps.starts(layout, "SOLUSDT") == [at(100)]
    assert sorted(found) == [at(s) for s in (*range(12), *range(100, 112))]
    assert [s for s in range(112) if at(s) in found and not found[at(s)]["complete"]] == [0, 11, 100, 111]


def test_an_hour_in_which_ids_start_again_proves_each_part_by_its_own_neighbours(layout, raw):
    old, new = numbered(raw, 1000, HOUR - 50, 40, step=5), numbered(raw, 980, HOUR + 200, 40, "3.0", step=100)
    lines = old + new
    raw.put(*new)
    raw.put(*old)
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars(lines)
    assert len(built(layout)) == 39 * 5 + 1 + 39 * 100 + 1


def test_one_stray_line_begins_no_numbering_and_two_that_go_on_from_it_do(layout, raw):
    lines = [*numbered(raw, 5000, 0, 12), raw.trade(17, 100)]
    raw.put(*lines)
    assert transform.run(layout, "SOLUSDT").numberings == 0
    lines.append(raw.trade(18, 101))
    raw.put(lines[-1])
    assert transform.run(layout, "SOLUSDT").numberings == 1
    assert built(layout) == oracle.bars(lines)
    lines += numbered(raw, 5012, 102, 12)
    raw.put(*lines[-12:])
    transform.run(layout, "SOLUSDT")
    assert gaps.starts(layout, "SOLUSDT") == []
    assert built(layout) == oracle.bars(lines)


def test_a_numbering_that_begins_leaves_the_files_of_the_one_before_alone(layout, raw):
    """Its compacted days are not built again, nor is a word said of raw parts of it that are gone."""
    part = raw.put(*numbered(raw, 0, 0, 40, step=HOUR / 4))
    transform.run(layout, "SOLUSDT")
    compact.run(layout, "SOLUSDT", moment(DAY).date())
    before = content(layout.parquet)
    part.unlink()
    raw.put(*numbered(raw, 0, 30 * HOUR, 40, step=HOUR / 4), name="part_0002.jsonl")
    result = transform.run(layout, "SOLUSDT")
    assert (result.kept, result.numberings, result.contradictions) == (0, 1, 0)
    assert before.items() <= content(layout.parquet).items()
    assert sum(bar["trade_count"] for bar in built(layout).values()) == 80


def test_with_the_ledger_lost_numberings_are_found_again_even_where_raw_parts_are_gone(layout, raw):
    old, new = numbered(raw, 0, 0, 40, step=60), numbered(raw, 0, 4 * HOUR, 40, "2.0", step=60)
    part = raw.put(*old)
    raw.put(*new, name="part_0002.jsonl")
    transform.run(layout, "SOLUSDT")
    before = content(layout.parquet)
    shutil.rmtree(layout.ledger.parent)
    part.unlink()
    raw.put(raw.trade(40, 4 * HOUR + 2400, "2.0"), name="part_0003.jsonl")
    transform.run(layout, "SOLUSDT")
    assert gaps.starts(layout, "SOLUSDT") == [at(4 * HOUR)]
    assert built(layout) == oracle.bars([*old, *new, raw.trade(40, 4 * HOUR + 2400, "2.0")])
    after = content(layout.parquet)
    assert [name.rpartition("/")[2] for name in before if after[name] != before[name]] == ["bars_1s_04.parquet"]


def test_longer_bars_open_with_the_first_trade_and_not_with_the_lowest_id(layout, raw):
    raw.put(*numbered(raw, 1001, 10, 12, "5.0"), *numbered(raw, 0, 40, 12, "7.0"), *numbered(raw, 0, 130, 12, "9.0"))
    transform.run(layout, "SOLUSDT")
    (minute, later) = read.bars(layout, "SOLUSDT", Window.parse("2025-10-20", "2025-10-20T00:03:00Z"), "1m").to_pylist()
    assert (minute["open"], minute["close"], minute["complete"]) == (5.0, 7.0, False)
    assert (minute["first_trade_id"], minute["last_trade_id"]) == (1001, 11)
    day = ("2025-10-20", "2025-10-20T01:00:00Z")
    (hour,) = lake.bars("SOLUSDT", *day, tf="1h", form="arrow", base=layout.base).to_pylist()
    assert (hour["open"], hour["close"], hour["trade_count"]) == (5.0, 9.0, 36)
    assert later["open"] == 9.0


def test_coverage_counts_a_new_numbering_as_such_and_the_holes_beside_it_as_holes(layout, raw):
    """In the hour of the reset three trades are missing before it and two after it."""
    old = [one for one in numbered(raw, 5000, 0, 30) if not 5010 <= one["trade_id"] < 5013]
    new = [one for one in numbered(raw, 0, 100, 30) if one["trade_id"] not in (7, 20)]
    raw.put(*old, *new, raw.trade(30, HOUR))
    transform.run(layout, "SOLUSDT")
    got = lake.coverage("SOLUSDT", "2025-10-20", "2025-10-20T02:00:00Z", base=layout.base)
    assert list(got["trades_missing"]) == [5, 0]
    with views.connect(layout) as con:
        rows = con.sql("SELECT trades_missing FROM coverage ORDER BY window_start").fetchall()
    assert rows == [(5,), (0,)]


def test_a_window_across_a_reset_builds_the_same(layout, raw):
    old, new = numbered(raw, 100, HOUR - 30, 20), numbered(raw, 90, HOUR + 5, 30, "2.0")
    raw.put(*old, *new)
    for hour in (1, 0):
        transform.run(layout, "SOLUSDT", Window.of_hour(moment(at(hour * HOUR))))
    assert transform.pending(layout) == []
    assert built(layout) == oracle.bars(old + new)


def test_quotes_whose_update_ids_start_again_are_placed_by_when_they_came(layout, raw):
    raw.put(raw.quote(10**9, 1.2, "8.0", "9.0"), raw.quote(3, 1.9, "3.0", "4.0"), *numbered(raw, 0, 0, 4))
    transform.run(layout, "SOLUSDT")
    assert (built(layout)[at(1)]["bid"], built(layout)[at(1)]["ask"]) == (3.0, 4.0)


def test_ids_that_never_existed_in_one_numbering_are_a_hole_in_the_other(layout, raw):
    """Both numberings lack 7 and 8; the klines prove only that the second one's trades are all recorded."""

    def market(start):
        ids = (*range(7), *range(9, 30))
        sides = ("buy", "sell")
        return [raw.trade(n, start + 7 * at, f"{100 + at}.5", f"1.{at % 9}", sides[at % 2]) for at, n in enumerate(ids)]

    old, new = market(0), market(600)
    put_klines(layout, klines_of(new, range(9, 15)))
    raw.put(*old, *new)
    transform.run(layout, "SOLUSDT")
    assert gaps.starts(layout, "SOLUSDT") == [at(600)]
    (gap,) = gaps.never_existed(layout, "SOLUSDT")
    assert (gap.first_id, gap.last_id, gap.from_us) == (7, 8, at(600 + 6 * 7))
    assert [built(layout)[at(start + 6 * 7)]["complete"] for start in (0, 600)] == [False, True]
    got = lake.coverage("SOLUSDT", "2025-10-20", "2025-10-20T01:00:00Z", base=layout.base)
    assert list(got["trades_missing"]) == [2]
    assert transform.pending(layout) == []
