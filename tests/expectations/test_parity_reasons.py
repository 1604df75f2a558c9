"""R7: each kind of difference is named: a hole with its trade ids, trades counted twice, late, a revision."""

import json
from datetime import timedelta

import pytest

from expectations.reasons import HOLE, LATE, REVISED, TWICE
from tests.expectations.candles import bars_of, candles_of, trades, write_candles
from tests.expectations.minutes import GONE, MINUTES, TFS, at, prepare, reasons
from tests.expectations.small import SOL, START, check, counts, plant, rows_of, write_hours


@TFS
def test_a_hole_between_seconds_is_named_with_its_trade_ids(layout, tf):
    def without(rows):
        """The second 130 lost its two trades, and yet its minute is called complete."""
        lost = rows[130]
        first = lost["first_trade_id"]
        assert (first, lost["last_trade_id"]) == (1000 + 2 * 104, 1001 + 2 * 104)
        return plant(rows, [130], volume_base=0.0, volume_quote=0.0, taker_buy_base=0.0, taker_buy_quote=0.0,
                     trade_count=0, vwap=None, first_trade_id=None, last_trade_id=None)  # fmt: skip

    prepare(layout, mine=without)
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert reasons(outcome) == {HOLE: 1}
    [row] = rows_of(outcome, "R7")
    assert (row["window_start"], row["missing_ids"], row["our_trade_count"], row["kline_trades"]) == (
        at(2), "1208-1209", 94, 96,
    )  # fmt: skip


@TFS
def test_a_hole_at_the_end_of_a_minute_is_seen_at_the_next_traded_second(layout, tf):
    """The last traded second of minute 1 lost its trades."""
    prepare(layout, mine=lambda rows: plant(rows, [118], **GONE))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert reasons(outcome) == {HOLE: 1}
    assert rows_of(outcome, "R7")[0]["missing_ids"] == "1190-1191"


@TFS
@pytest.mark.parametrize("ends", [START + timedelta(minutes=2), START.replace(hour=0) + timedelta(days=1)])
def test_a_hole_at_the_end_of_a_range_is_seen_at_the_first_trade_after_it(layout, tf, ends):
    """The last traded second before the end lost its trades; the end is within a day, or between two."""
    start = ends - timedelta(minutes=2)
    given = trades(4, start)
    write_candles(layout, candles_of(given, 4, start))
    rows = plant(bars_of(given), [118], **GONE)
    write_hours(layout, rows)
    for seconds in (120, 240):  # the hole is the same, whether or not what comes after is validated too
        outcome = check(layout, seconds, start=start, tf=tf)
        assert reasons(outcome) == {HOLE: 1}
        assert rows_of(outcome, "R7")[0]["missing_ids"] == "1190-1191"
    layout.hour_file(SOL, ends.replace(minute=0)).unlink()
    write_hours(layout, rows[:120])
    assert reasons(check(layout, 120, start=start, tf=tf)) == {LATE: 1}  # no trade after it is held: nothing is known


def test_trades_missing_of_a_whole_range_are_told_by_the_trades_on_both_sides(layout):
    given = trades(6)
    write_candles(layout, candles_of(given, 6))
    write_hours(layout, plant(bars_of(given), range(120, 240), **GONE))
    outcome = check(layout, 120, start=START + timedelta(minutes=2))
    assert reasons(outcome) == {HOLE: 2}
    assert {row["missing_ids"] for row in rows_of(outcome, "R7")} == {"1192-1383"}


def test_what_cannot_be_read_beyond_a_range_tells_nothing_of_it(layout):
    midnight = START.replace(hour=0) + timedelta(days=1)
    start = midnight - timedelta(minutes=2)
    given = trades(2, start)
    write_candles(layout, candles_of(given, 2, start))
    write_hours(layout, plant(bars_of(given), [118], **GONE))
    for hour in (midnight, START.replace(hour=0) - timedelta(hours=1)):
        torn = layout.hour_file(SOL, hour)
        torn.parent.mkdir(parents=True)
        torn.write_bytes(b"PAR1 torn")
    assert reasons(check(layout, 120, start=start)) == {LATE: 1}


@TFS
def test_a_hole_within_a_second_is_told_by_fewer_trades_than_ids(layout, tf):
    prepare(layout, mine=lambda rows: plant(rows, [61], trade_count=1))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert reasons(outcome) == {HOLE: 1}
    assert rows_of(outcome, "R7")[0]["missing_ids"] == "1 of 1098-1099"


@TFS
def test_more_trades_than_ids_were_counted_twice(layout, tf):
    prepare(layout, mine=lambda rows: plant(rows, [61], trade_count=3))
    assert reasons(check(layout, 60 * MINUTES, tf=tf)) == {TWICE: 1}


@TFS
def test_a_trade_that_moved_to_the_next_minute_is_late_in_both(layout, tf):
    given = trades(MINUTES)
    moved = [
        (number, START + timedelta(minutes=3) if at == START + timedelta(seconds=178, milliseconds=1) else at, *rest)
        for number, at, *rest in given
    ]
    write_hours(layout, bars_of(moved))
    write_candles(layout, candles_of(given, MINUTES))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (reasons(outcome), outcome.verdict) == ({LATE: 2}, "INVESTIGATE")
    assert [row["window_start"] for row in rows_of(outcome, "R7")] == [at(2), at(3)]


@TFS
def test_a_flat_minute_of_ours_where_the_exchange_traded_is_late(layout, tf):
    prepare(layout, skip=(4,), theirs=lambda rows: plant(rows, [4], trades=1))
    assert reasons(check(layout, 60 * MINUTES, tf=tf)) == {LATE: 1}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_volume_of_ours_that_is_no_number_is_no_agreement(layout, value):
    prepare(layout, mine=lambda rows: plant(rows, [65], volume_base=value))
    outcome = check(layout, 60 * MINUTES, tf="1s")
    assert (counts(outcome), reasons(outcome)) == ({"R7": 1}, {REVISED: 1})
    assert rows_of(outcome, "R7")[0]["our_volume_base"] is None
    json.dumps(outcome.to_json(), allow_nan=False)
