import shutil

import pytest

from lake import raw_sums, read, transform
from lake.errors import LakeError
from lake.windows import Window, moment
from tests import oracle
from tests.conftest import DAY, content

ALL = Window.parse("2025-10-18", "2025-10-24")


def built(layout, symbol="SOLUSDT", window=ALL):
    return oracle.rows(read.bars(layout, symbol, window))


def at(second):
    return DAY + second * 1_000_000


def test_a_trade_belongs_to_the_second_of_its_trade_time_whenever_it_arrived(layout, raw):
    raw.put(raw.trade(1, 10.0), raw.trade(3, 12.0), raw.trade(2, 10.999999, recv=86_400 + 7))
    transform.run(layout, "SOLUSDT")
    assert built(layout)[at(10)]["trade_count"] == 2
    assert built(layout)[at(11)]["trade_count"] == 0


def test_open_and_close_go_by_trade_id_and_not_by_time_or_order(layout, raw):
    raw.put(raw.trade(7, 5.9, "3.0"), raw.trade(5, 5.9, "1.0"), raw.trade(6, 5.1, "2.0"))
    transform.run(layout, "SOLUSDT")
    bar = built(layout)[at(5)]
    assert (bar["open"], bar["close"]) == (1.0, 3.0)


def test_the_first_and_the_newest_second_are_there_and_not_complete(layout, raw):
    raw.put(raw.trade(5, 1), raw.trade(6, 2), raw.trade(7, 3))
    transform.run(layout, "SOLUSDT")
    assert [bar["complete"] for _, bar in sorted(built(layout).items())] == [False, True, False]


def test_a_second_without_trades_is_flat_only_where_ids_run_on(layout, raw):
    raw.put(
        raw.trade(1, 0, "5.0"), raw.trade(2, 3, "6.0"), raw.trade(4, 6, "7.0"), raw.quote(1, 1.5), raw.quote(2, 4.5)
    )
    transform.run(layout, "SOLUSDT")
    found = built(layout)
    assert sorted(found) == [at(s) for s in (0, 1, 2, 3, 6)]
    assert found[at(1)] == {**oracle._flat(5.0), "bid": 99.0, "ask": 101.0, "spread": 2.0}


def test_a_hole_inside_a_second_makes_that_second_incomplete(layout, raw):
    raw.put(raw.trade(1, 0), raw.trade(2, 1.0), raw.trade(4, 1.5), raw.trade(5, 2), raw.trade(6, 3))
    transform.run(layout, "SOLUSDT")
    found = built(layout)
    assert [found[at(s)]["complete"] for s in range(4)] == [False, False, True, False]


def test_later_data_proves_the_hour_before_and_fills_it_to_its_end(layout, raw):
    raw.put(raw.trade(1, 3590), raw.trade(2, 3595))
    transform.run(layout, "SOLUSDT")
    assert max(built(layout)) == at(3595)
    raw.put(raw.trade(3, 3605))
    transform.run(layout, "SOLUSDT")
    found = built(layout)
    assert found[at(3595)]["complete"]
    assert all(found[at(s)]["trade_count"] == 0 for s in [*range(3596, 3605)])


def test_flat_bars_cross_whole_hours_and_days_without_any_trade(layout, raw):
    raw.put(raw.trade(1, 82_000, "5.0"), raw.trade(2, 86_399, "5.5"))
    raw.put(raw.trade(3, 86_400 + 4 * 3600 + 5))
    transform.run(layout, "SOLUSDT")
    found = built(layout)
    flat = [second for second in found if second > at(86_399) and found[second]["trade_count"] == 0]
    assert len(flat) == 4 * 3600 + 5
    assert {found[second]["close"] for second in flat} == {5.5}


def test_a_trade_found_later_in_a_flat_stretch_takes_its_flats_back(layout, raw):
    raw.put(raw.trade(1, 10), raw.trade(3, 2 * 3600 + 10))
    transform.run(layout, "SOLUSDT")
    assert len(built(layout)) == 2
    raw.put(raw.trade(2, 3600 + 10, recv=90_000))
    transform.run(layout, "SOLUSDT")
    assert len(built(layout)) == 2 * 3600 + 1


def test_each_value_is_the_double_nearest_to_the_exact_decimal(layout, raw):
    lines = [raw.trade(n, 1, f"9999999999.{n:08d}", f"0.{n * 7:08d}") for n in range(1, 90)]
    first = raw.trade(0, 0, "9999999999.99999999", "9999999999.99999999")
    raw.put(first, *lines, raw.trade(90, 2, "0.00000001", "0.1"))
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars([first, *lines, raw.trade(90, 2, "0.00000001", "0.1")])


def test_an_aggregate_counts_for_its_trades_and_takes_their_place(layout, raw):
    raw.put(
        raw.trade(1, 0),
        raw.trade(2, 1, qty="1.5"),
        {**raw.trade(4, 1, qty="4.0"), "first_trade_id": 2},
        raw.trade(5, 2),
    )
    transform.run(layout, "SOLUSDT")
    bar = built(layout)[at(1)]
    assert (bar["trade_count"], bar["volume_base"], bar["first_trade_id"], bar["complete"]) == (3, 4.0, 2, True)


def test_the_quote_of_a_second_is_the_last_received_even_if_written_first(layout, raw):
    raw.put(
        raw.quote(9, 1.9, "8.0", "9.0"),
        raw.quote(7, 1.2, "1.0", "2.0"),
        raw.trade(1, 1),
        raw.quote(8, 1.9, "3.0", "4.0"),
    )
    transform.run(layout, "SOLUSDT")
    assert (built(layout)[at(1)]["bid"], built(layout)[at(1)]["ask"]) == (8.0, 9.0)


def test_a_run_with_nothing_to_do_reads_no_raw_file_and_changes_nothing(layout, raw, monkeypatch):
    raw.put(raw.trade(1, 1), raw.trade(2, 3700))
    transform.run(layout, "SOLUSDT")
    before = content(layout.base)
    monkeypatch.setattr("lake.events.Events.add", lambda *_: pytest.fail("a raw file was read"))
    assert transform.pending(layout) == []
    assert transform.run(layout, "SOLUSDT").hours == 0
    assert content(layout.base) == before


def test_only_hours_whose_input_changed_are_built(layout, raw):
    raw.put(raw.trade(1, 10), raw.trade(2, 3700), raw.trade(3, 7300))
    transform.run(layout, "SOLUSDT")
    times = {path: path.stat().st_mtime_ns for path in layout.parquet.rglob("*.parquet")}
    raw.put(raw.trade(4, 7400))
    assert transform.run(layout, "SOLUSDT").hours == 1
    changed = [path.name for path, time in times.items() if path.stat().st_mtime_ns != time]
    assert changed == ["bars_1s_02.parquet"]


def test_a_part_rewritten_in_place_with_its_checksum_is_noticed(layout, raw):
    part = raw.put(raw.trade(1, 10), raw.trade(2, 3700))
    transform.run(layout, "SOLUSDT")
    raw.put(raw.trade(1, 10), raw.trade(2, 7300), raw.trade(3, 7301), name=part.name)
    raw_sums.add(part.parent, {part.name: raw_sums.of(part)})
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars([raw.trade(1, 10), raw.trade(2, 7300), raw.trade(3, 7301)])


def test_bars_outlive_their_raw_parts_and_say_so(layout, raw):
    part = raw.put(raw.trade(1, 10), raw.trade(2, 11))
    transform.run(layout, "SOLUSDT")
    before = built(layout)
    part.unlink()
    raw.put(raw.trade(9, 20), name="part_0002.jsonl")
    assert transform.run(layout, "SOLUSDT").kept == 1
    assert built(layout) == before


def test_a_window_builds_its_hours_and_leaves_the_others_for_later(layout, raw):
    raw.put(raw.trade(1, 10), raw.trade(2, 3700), raw.trade(3, 7300))
    hour = Window(moment(at(3600)), moment(at(7200)))
    transform.run(layout, "SOLUSDT", hour)
    assert {second // 3_600_000_000 for second in built(layout)} == {at(3600) // 3_600_000_000}
    assert transform.pending(layout) == ["SOLUSDT"]
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars([raw.trade(1, 10), raw.trade(2, 3700), raw.trade(3, 7300)])


def test_a_lost_ledger_is_made_anew_and_the_lake_is_the_same(layout, raw):
    raw.put(raw.trade(1, 10), raw.trade(2, 3700), raw.trade(4, 7300))
    transform.run(layout, "SOLUSDT")
    before = content(layout.parquet)
    shutil.rmtree(layout.ledger.parent)
    transform.run(layout, "SOLUSDT")
    assert content(layout.parquet) == before


def test_stopped_between_reading_and_writing_the_next_run_builds(layout, raw, monkeypatch):
    raw.put(raw.trade(1, 10), raw.trade(2, 3700))

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lake.files.write_parquet", stop)
        with pytest.raises(KeyboardInterrupt):
            transform.run(layout, "SOLUSDT")
    assert transform.pending(layout) == ["SOLUSDT"]
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars([raw.trade(1, 10), raw.trade(2, 3700)])


def test_a_part_left_open_by_a_killed_collector_is_taken_over(layout, raw):
    path = raw.put(raw.trade(1, 10), b'{"symbol":"SOL', name=".part_0001.jsonl.open")
    transform.run(layout, "SOLUSDT")
    assert (path.parent / "part_0001.jsonl").exists()
    assert len(built(layout)) == 1


def test_an_open_part_is_left_alone_while_a_collector_runs(layout, raw):
    from lake import locks

    path = raw.put(raw.trade(1, 10), name=".part_0001.jsonl.open")
    with locks.collector(layout):
        transform.run(layout, "SOLUSDT")
    assert path.exists()
    assert built(layout) == {}


def test_a_window_beside_new_parts_of_another_hour_claims_nothing_that_is_not_proved(layout, raw):
    second = [raw.trade(n, 3600 + (n - 10) * 300) for n in range(10, 20)]
    raw.put(*second)
    transform.run(layout, "SOLUSDT")
    more = [raw.trade(n, n * 300) for n in range(1, 10)] + [raw.trade(n, 6300 + (n - 19) * 80) for n in range(20, 30)]
    raw.put(*more)
    transform.run(layout, "SOLUSDT", Window(moment(at(0)), moment(at(3600))))
    newest = [bar for bar in built(layout).values() if bar["last_trade_id"] == 29]
    assert all(not bar["complete"] for bar in newest)
    raw.put(raw.trade(30, 7300))
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars([*second, *more, raw.trade(30, 7300)])


def test_one_id_in_two_hours_is_one_trade_however_the_parts_came(layout, raw, raw_of):
    early, late = [raw.trade(1, 10), raw.trade(2, 20, "5.0")], [raw.trade(2, 3700, "6.0"), raw.trade(3, 3800)]
    raw.put(*early)
    transform.run(layout, "SOLUSDT")
    raw.put(*late)
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars(early + late)
    raw.put(raw.trade(4, 3900))
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars([*early, *late, raw.trade(4, 3900)])


def test_nested_and_doubled_aggregates_count_each_trade_once(layout, raw):
    def aggregate(first, last, second):
        return {**raw.trade(last, second, qty="2.0"), "first_trade_id": first}

    raw.put(
        raw.trade(1, 0), aggregate(2, 4, 1), aggregate(2, 6, 1), aggregate(2, 6, 1), raw.trade(3, 1), raw.trade(7, 2)
    )
    transform.run(layout, "SOLUSDT")
    assert [built(layout)[at(s)]["trade_count"] for s in range(3)] == [1, 5, 1]


def test_a_renamed_part_costs_nothing_and_late_trades_still_come_in(layout, raw):
    part = raw.put(raw.trade(1, 10), raw.trade(3, 12))
    transform.run(layout, "SOLUSDT")
    part.rename(part.with_name("part_0007.jsonl"))
    raw.put(raw.trade(2, 11, recv=90_000))
    assert transform.run(layout, "SOLUSDT").kept == 0
    assert built(layout) == oracle.bars([raw.trade(1, 10), raw.trade(2, 11), raw.trade(3, 12)])


def test_with_the_ledger_and_part_of_the_raw_lines_gone_the_bars_stay(layout, raw):
    part = raw.put(*[raw.trade(n, n * 10) for n in range(1, 90)])
    raw.put(raw.trade(90, 900, recv=86_500))
    transform.run(layout, "SOLUSDT")
    before = built(layout)
    part.unlink()
    shutil.rmtree(layout.ledger.parent)
    assert transform.run(layout, "SOLUSDT").kept == 1
    assert built(layout) == before


def test_a_trade_that_another_hour_has_after_the_ledger_was_lost_is_not_counted_in_both(layout, raw):
    """One id at two trade times: what was received first holds, and is found only after the ledger is gone."""
    lines = [raw.trade(1, 10), raw.trade(2, 3610, "7.5", recv=90_000), raw.trade(2, 20, recv=21)]
    raw.put(lines[0])
    raw.put(lines[1])
    transform.run(layout, "SOLUSDT")
    assert at(3610) in built(layout)
    shutil.rmtree(layout.ledger.parent)
    raw.put(lines[2])
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars(lines)


def test_a_torn_hour_file_is_written_anew_and_a_damaged_ledger_names_its_remedy(layout, raw):
    raw.put(raw.trade(1, 10))
    transform.run(layout, "SOLUSDT")
    path = layout.hour_file("SOLUSDT", moment(DAY))
    path.write_bytes(path.read_bytes()[:100])
    transform.run(layout, "SOLUSDT", ALL)
    assert len(built(layout)) == 1
    layout.ledger.write_bytes(b"no database" * 1000)
    with pytest.raises(LakeError, match="remove it"):
        transform.run(layout, "SOLUSDT")


@pytest.mark.parametrize("odd", ["20251021", "2025-W43-2", "2025-13-45", "notes"])
def test_stray_files_and_folders_stop_nothing(layout, raw, odd):
    part = raw.put(raw.trade(1, 10))
    (part.parent.parent / odd).mkdir()
    (part.parent.parent / "2025-10-25").write_text("a file")
    (part.parent / "part_0002.jsonl").mkdir()
    (part.parent / "part_0003.jsonl").symlink_to(layout.base / "nowhere")
    (layout.parquet / "SOLUSDT").mkdir(parents=True)
    (layout.parquet / "SOLUSDT" / f"{odd}.parquet").write_text("junk")
    transform.run(layout, "SOLUSDT")
    assert len(built(layout)) == 1
    assert transform.pending(layout) == []
