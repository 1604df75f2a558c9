"""Holes in the trade ids that the official klines settle as never existed, and all that proves nothing."""

import os
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest
from loguru import logger

from lake import compact, doctor_data, gaps, never_existed, read, transform, views
from lake.claims import Claims
from lake.ledger import Ledger
from lake.windows import Window
from tests import oracle
from tests.conftest import DAY, content
from tests.lake.recorded import klines_of, put_klines

ALL = Window.parse("2025-10-18", "2025-10-24")
DATE = date(2025, 10, 20)
MINUTES = range(5)


def market(raw, ids=(*range(100, 106), *range(108, 124)), step=9):
    """A trade each 9 seconds, of different sizes and sides; 106 and 107 are no trades."""
    return [
        raw.trade(number, step * n, f"{187 + n / 100:.2f}", f"{1 + n % 3}.5", "buy" if n % 2 else "sell")
        for n, number in enumerate(ids)
    ]


def recorded(layout, raw, lines):
    raw.put(*lines)
    return transform.run(layout, "SOLUSDT")


def reconsidered(layout, window=ALL):
    found = never_existed.reconsider(layout, "SOLUSDT", window)
    done = transform.run(layout, "SOLUSDT")
    assert transform.pending(layout) == []
    return found, done


def settled(layout):
    return [(gap.first_id, gap.last_id) for gap in gaps.never_existed(layout, "SOLUSDT")]


def bars(layout):
    return {(us - DAY) // 1_000_000: bar for us, bar in oracle.rows(read.bars(layout, "SOLUSDT", ALL)).items()}


def coverage(layout):
    con = views.connect(layout)
    return con.sql("SELECT sum(seconds_missing)::INT, sum(trades_missing)::INT FROM coverage").fetchall()[0]


def test_ids_that_the_klines_settle_count_as_consecutive(layout, raw):
    lines = market(raw)
    recorded(layout, raw, lines)
    assert (settled(layout), coverage(layout)) == ([], (8, 2))
    assert [bars(layout)[second]["complete"] for second in (45, 54)] == [False, False]
    put_klines(layout, klines_of(lines, MINUTES))
    found, done = reconsidered(layout)
    assert sum(gap.count for gap in found.new) == 2
    assert (done.hours, done.never_existed, done.withdrawn) == (1, 2, 0)
    assert coverage(layout) == (0, 0)
    assert {second for second, bar in bars(layout).items() if not bar["complete"]} == {0, 189}
    assert bars(layout)[50] == {**oracle._flat(bars(layout)[45]["close"]), "bid": None, "ask": None, "spread": None}
    rows = views.connect(layout).sql(f"FROM '{layout.gaps('SOLUSDT')}'").to_arrow_table().to_pylist()
    assert rows == [{
        "symbol": "SOLUSDT", "channel": "trade", "first_missing_id": 106, "last_missing_id": 107,
        "from_time": datetime(2025, 10, 20, 0, 0, 45, tzinfo=UTC),
        "to_time": datetime(2025, 10, 20, 0, 0, 54, tzinfo=UTC),
        "reason": "the official 1m klines of 2025-10-20T00:00:00Z/2025-10-20T00:01:00Z have the 7 trades that are held "
        "and no other", "state": "never existed", "repaired_from": None,
    }]  # fmt: skip


def test_klines_that_are_there_first_settle_in_the_same_run_and_twice_gives_once(layout, raw):
    lines = market(raw)
    put_klines(layout, klines_of(lines, MINUTES))
    done = recorded(layout, raw, lines)
    assert (done.never_existed, settled(layout), coverage(layout)) == (2, [(106, 107)], (0, 0))
    before = content(layout.base)
    found, done = reconsidered(layout)
    assert (found.new, found.withdrawn, done.hours) == ([], [], 0)
    assert transform.run(layout, "SOLUSDT", ALL).never_existed == 0
    after = content(layout.base)
    assert {name: data for name, data in after.items() if "sqlite" not in name} == {
        name: data for name, data in before.items() if "sqlite" not in name
    }


def test_a_hole_within_a_second_is_settled_too(layout, raw):
    lines = [raw.trade(1, 10), raw.trade(2, 11.0), raw.trade(5, 11.5), raw.trade(6, 12), raw.trade(7, 13)]
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, lines)
    assert settled(layout) == [(3, 4)]
    assert [bars(layout)[second]["complete"] for second in range(10, 14)] == [False, True, True, False]
    assert bars(layout)[11]["trade_count"] == 2
    assert coverage(layout) == (0, 0)


def test_hours_and_midnight_without_trades_are_filled_where_the_klines_say_that_nothing_traded(layout, raw):
    lines = [raw.trade(1, 79_000), raw.trade(2, 79_200), raw.trade(9, 93_700), raw.trade(10, 93_720)]
    put_klines(layout, klines_of(lines, range(1300, 1600)))
    recorded(layout, raw, lines)
    assert settled(layout) == [(3, 8)]
    found = bars(layout)
    assert len(found) == 93_720 - 79_000 + 1
    assert all(bar["complete"] for second, bar in found.items() if second not in (79_000, 93_720))
    assert coverage(layout) == (0, 0)


def test_aggregates_count_for_their_trades(layout, raw):
    first = {**raw.trade(4, 1, "5.0", "2.0"), "first_trade_id": 2}
    second = {**raw.trade(9, 3, "6.0", "3.0"), "first_trade_id": 7}
    lines = [raw.trade(1, 0), first, second, raw.trade(10, 4)]
    single = [raw.trade(1, 0), raw.trade(10, 4)]
    single += [raw.trade(n, 1, "5.0", qty) for n, qty in ((2, "1.0"), (3, "0.5"), (4, "0.5"))]
    single += [raw.trade(n, 3, "6.0", "1.0") for n in (7, 8, 9)]
    put_klines(layout, klines_of(single, MINUTES))
    recorded(layout, raw, lines)
    assert settled(layout) == [(5, 6)]
    assert [bars(layout)[second]["complete"] for second in range(1, 4)] == [True] * 3
    raw.put({**raw.trade(6, 2, "5.0", "1.0"), "first_trade_id": 5})
    assert transform.run(layout, "SOLUSDT").withdrawn == 2
    assert settled(layout) == []


def test_a_compacted_day_is_settled_too_and_has_a_new_hash(layout, raw):
    lines = market(raw)
    recorded(layout, raw, lines)
    before = compact.run(layout, "SOLUSDT", DATE)
    put_klines(layout, klines_of(lines, MINUTES))
    reconsidered(layout)
    after = compact.run(layout, "SOLUSDT", DATE)
    assert (after.rows - before.rows, after.sha256 != before.sha256) == (8, True)
    assert coverage(layout) == (0, 0)


FALSE = {
    "the kline counts a trade more": lambda rows: rows[0].update(trades=8),
    "the kline counts a trade less": lambda rows: rows[0].update(trades=6),
    "base volume": lambda rows: rows[0].update(volume=rows[0]["volume"] * (1 + 2e-9)),
    "quote volume": lambda rows: rows[0].update(quote_volume=rows[0]["quote_volume"] * (1 + 2e-9)),
    "taker base volume": lambda rows: rows[0].update(taker_base_vol=rows[0]["taker_base_vol"] + 0.001),
    "taker quote volume": lambda rows: rows[0].update(taker_quote_vol=rows[0]["taker_quote_vol"] + 0.001),
    "open": lambda rows: rows[0].update(open=rows[0]["open"] - 0.01),
    "high": lambda rows: rows[0].update(high=rows[0]["high"] + 0.01),
    "low": lambda rows: rows[0].update(low=rows[0]["low"] - 0.01),
    "close": lambda rows: rows[0].update(close=rows[0]["close"] + 0.01),
    "no kline of the minute": lambda rows: rows.pop(0),
    "a kline off the grid": lambda rows: rows[0].update(open_time=rows[0]["open_time"] + timedelta(seconds=7)),
    "a kline that closes off the grid": lambda rows: rows[0].update(
        close_time=rows[0]["close_time"] + timedelta(seconds=7)
    ),
    "two klines of the minute": lambda rows: rows.insert(0, {**rows[0]}),
    "a kline of another pair": lambda rows: rows[0].update(symbol="ADAUSDT"),
}


@pytest.mark.parametrize("why", FALSE)
def test_a_kline_that_is_not_equal_or_not_to_be_trusted_settles_nothing(layout, raw, why):
    lines = market(raw)
    rows = klines_of(lines, MINUTES)
    FALSE[why](rows)
    put_klines(layout, rows)
    recorded(layout, raw, lines)
    assert (settled(layout), coverage(layout)) == ([], (8, 2))
    assert not layout.gaps("SOLUSDT").exists()


def test_a_kline_that_differs_by_less_than_its_volumes_are_rounded_settles(layout, raw):
    lines = market(raw)
    rows = klines_of(lines, MINUTES)
    rows[0]["volume"] *= 1 + 0.5e-9
    put_klines(layout, rows)
    recorded(layout, raw, lines)
    assert settled(layout) == [(106, 107)]


def test_a_kline_that_was_fetched_before_its_minute_was_over_for_seconds_settles_nothing(layout, raw):
    lines = market(raw)
    put_klines(layout, klines_of(lines, MINUTES))
    path = layout.kline_file("SOLUSDT", DATE, "1m")
    for seconds, found in ((64, []), (65, [(106, 107)])):
        os.utime(path, (DAY / 1e6 + seconds, DAY / 1e6 + seconds))
        if seconds == 64:
            recorded(layout, raw, lines)
        else:
            reconsidered(layout)
        assert settled(layout) == found


def test_klines_that_cannot_be_read_settle_nothing_and_stop_no_bars(layout, raw):
    lines = market(raw)
    path = layout.kline_file("SOLUSDT", DATE, "1m")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 torn")
    assert recorded(layout, raw, lines).rows == 182
    assert settled(layout) == []


def test_each_minute_of_a_long_hole_needs_its_kline_and_each_must_be_equal(layout, raw):
    """106 and 107 are missing for three minutes; two errors that cancel over the minutes prove nothing."""
    lines = [raw.trade(n, at, qty="2.0") for n, at in ((100, 30), (105, 59), (108, 200), (109, 210))]
    lines = [raw.trade(104, 20), *lines]
    recorded(layout, raw, lines)
    rows = klines_of(lines, MINUTES)
    for at in range(4):
        put_klines(layout, [row for n, row in enumerate(rows) if n != at])
        reconsidered(layout)
        assert (108, 1) not in settled(layout)
        assert (106, 107) not in settled(layout), f"without the kline of minute {at}"
    first, last = (dict(rows[at]) for at in (1, 2))
    first.update(trades=1, volume=1.0, quote_volume=100.0)
    last.update(trades=-1, volume=-1.0, quote_volume=-100.0)
    put_klines(layout, [rows[0], first, last, *rows[3:]])
    reconsidered(layout)
    assert (106, 107) not in settled(layout), "a trade more in one minute and one less in another"
    put_klines(layout, rows)
    reconsidered(layout)
    assert (106, 107) in settled(layout)


def test_a_trade_that_was_really_missed_stays_missing(layout, raw):
    lines = market(raw, range(100, 124))
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, lines[:6] + lines[8:])
    found, _ = reconsidered(layout)
    assert (found.new, settled(layout), coverage(layout)[1]) == ([], [], 2)


def test_one_minute_with_a_real_hole_and_ids_that_never_existed_settles_neither(layout, raw):
    lines = market(raw)
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, lines[:3] + lines[4:])
    assert settled(layout) == []
    raw.put(lines[3])
    transform.run(layout, "SOLUSDT")
    assert settled(layout) == [(106, 107)]


def test_a_trade_that_the_exchange_counts_in_the_next_minute_does_not_stand_for_the_one_that_is_missing(layout, raw):
    """The missing trade 5 is as large as trade 7, which we count in minute 1 and the exchange in minute 2."""
    lines = [raw.trade(n, at) for n, at in ((1, 30), (2, 59), (3, 61), (4, 70), (6, 90), (7, 119.9), (8, 121))]
    lines += [raw.trade(n, 121 + n) for n in range(9, 80)]
    theirs = [line if line["trade_id"] != 7 else raw.trade(7, 120) for line in lines] + [raw.trade(5, 80)]
    put_klines(layout, klines_of(theirs, MINUTES))
    recorded(layout, raw, lines)
    assert settled(layout) == []


def test_a_missing_trade_whose_time_lies_before_that_of_the_trade_before_it_is_not_settled(layout, raw):
    """Trade 3 was made at 59.9 s by its own time; 2 and 4, around it, in the next minute."""
    lines = [raw.trade(1, 10), raw.trade(2, 60.1), raw.trade(3, 59.9), raw.trade(4, 60.3), raw.trade(5, 70)]
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, [line for line in lines if line["trade_id"] != 3])
    assert settled(layout) == []


def test_nothing_is_settled_before_the_first_trade_and_after_the_last(layout, raw):
    lines = market(raw, range(100, 124))
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, lines)
    found, _ = reconsidered(layout)
    assert (found.new, settled(layout)) == ([], [])
    assert {second for second, bar in bars(layout).items() if not bar["complete"]} == {0, 207}


def test_an_id_that_arrives_after_all_takes_the_claim_back(layout, raw):
    lines = market(raw)
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, lines)
    said = []
    sink = logger.add(said.append, level="WARNING", format="{message}")
    done = recorded(layout, raw, [raw.trade(106, 50)])
    logger.remove(sink)
    assert (done.never_existed, done.withdrawn, settled(layout)) == (0, 2, [])
    assert any("trade ids 106 to 107 no longer count as never existed" in line for line in said)
    assert [bars(layout)[second]["complete"] for second in (45, 50, 54)] == [True, False, False]
    assert coverage(layout) == (3, 1)
    recorded(layout, raw, [raw.trade(107, 52)])
    assert coverage(layout) == (0, 0)


def test_an_id_that_arrives_with_the_time_of_another_hour_takes_the_claim_back_too(layout, raw):
    lines = market(raw)
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, lines)
    recorded(layout, raw, [raw.trade(107, 9000)])
    assert settled(layout) == []
    assert [bars(layout)[second]["complete"] for second in (45, 54)] == [False, True]
    assert transform.pending(layout) == []


def test_a_kline_that_is_revised_takes_the_claim_back(layout, raw):
    lines = market(raw)
    rows = klines_of(lines, MINUTES)
    put_klines(layout, rows)
    recorded(layout, raw, lines)
    rows[0].update(trades=9, volume=rows[0]["volume"] + 2)
    put_klines(layout, rows)
    found, done = reconsidered(layout)
    assert (sum(gap.count for gap in found.withdrawn), done.withdrawn, settled(layout)) == (2, 2, [])
    assert coverage(layout) == (8, 2)


def test_a_lost_ledger_is_made_again_from_raw_and_klines(layout, raw):
    lines = market(raw)
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, lines)
    before = content(layout.parquet)
    shutil.rmtree(layout.ledger.parent)
    assert transform.run(layout, "SOLUSDT").never_existed == 2
    assert (content(layout.parquet), settled(layout), transform.pending(layout)) == (before, [(106, 107)], [])
    layout.gaps("SOLUSDT").unlink()
    reconsidered(layout)
    assert (content(layout.parquet), settled(layout)) == (before, [(106, 107)])


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(("of", "where"), [(Ledger, "mark_dirty"), (Claims, "put"), (Ledger, "built")])
@pytest.mark.parametrize("comes", ["klines", "a trade"])
def test_a_kill_at_any_step_costs_nothing(layout, raw, monkeypatch, of, where, comes):
    """Before and after the claim is noted, and before the hours are noted as built; settled, and taken back."""
    lines = [raw.trade(1, 3500), raw.trade(2, 3510), raw.trade(5, 11_000), raw.trade(6, 11_010)]
    late = raw.trade(4, 7300) if comes == "a trade" else None
    if late:
        put_klines(layout, klines_of(lines, range(200)))
        recorded(layout, raw, lines)
        assert settled(layout) == [(3, 4)]
        raw.put(late)
    else:
        recorded(layout, raw, lines)
        put_klines(layout, klines_of(lines, range(200)))
        never_existed.reconsider(layout, "SOLUSDT", ALL)
    for after in (False, True):
        real = getattr(of, where)

        def killed(*given, after=after, real=real):
            if after:
                real(*given)
            raise Killed

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(of, where, killed)
            transform.run(layout, "SOLUSDT")
    transform.run(layout, "SOLUSDT")
    assert transform.pending(layout) == []
    assert settled(layout) == ([] if late else [(3, 4)])
    flats = [second for second, bar in bars(layout).items() if bar["trade_count"] == 0 and 3510 < second < 11_000]
    assert len(flats) == 11_000 - (7301 if late else 3511)
    assert coverage(layout)[1] == (1 if late else 0)


def test_hours_whose_raw_parts_are_gone_are_not_asked_for_again_and_again(layout, raw):
    lines = market(raw)
    recorded(layout, raw, lines)
    put_klines(layout, klines_of(lines, MINUTES))
    shutil.rmtree(layout.raw)
    transform.run(layout, "SOLUSDT")
    for _ in range(2):
        found, done = reconsidered(layout)
        assert (found.new, done.kept, settled(layout)) == ([], 0, [])
    assert coverage(layout) == (8, 2)


def test_a_copy_of_the_file_does_not_hide_a_hole(layout, raw):
    lines = market(raw)
    put_klines(layout, klines_of(lines, MINUTES))
    recorded(layout, raw, [*lines[:15], *lines[17:]])
    path = layout.gaps("SOLUSDT")
    assert (settled(layout), coverage(layout)[1]) == ([(106, 107)], 2)
    shutil.copy(path, path.with_name("SOLUSDT (1).parquet"))
    path.with_name("._SOLUSDT.parquet").write_bytes(b"\0\5\26\7")
    assert coverage(layout)[1] == 2


def test_a_lake_without_a_recording_is_left_alone(layout):
    assert never_existed.reconsider(layout, "SOLUSDT", ALL).changed == set()
    assert not layout.base.exists()


def test_doctor_has_the_number(layout, raw):
    lines = market(raw, (*range(100, 200), *range(202, 9720)), step=9)
    put_klines(layout, klines_of(lines, range(1445)))
    recorded(layout, raw, lines)
    now = datetime(2025, 10, 21, 12, tzinfo=UTC)
    found = doctor_data.days(layout, now)[0]
    assert (found.state, "2 trade ids never existed" in found.said) == ("ok", True), found


def test_bars_and_the_memory_of_raw_can_be_lost_while_the_claims_stay(layout, raw):
    """Hours without a trade lie between: they have no raw parts, and are built because of the claim."""
    lines = [raw.trade(1, 79_000), raw.trade(2, 79_200), raw.trade(9, 93_700), raw.trade(10, 93_720)]
    put_klines(layout, klines_of(lines, range(1300, 1600)))
    recorded(layout, raw, lines)
    before = content(layout.parquet)
    shutil.rmtree(layout.parquet)
    layout.ledger.unlink()
    done = transform.run(layout, "SOLUSDT")
    assert (content(layout.parquet), settled(layout), done.withdrawn) == (before, [(3, 8)], 0)
