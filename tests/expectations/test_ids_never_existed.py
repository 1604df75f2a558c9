"""R8 and R7 where ids never existed: these are not missing, and their number is reported."""

from lake import gaps
from lake.gaps import Gap
from lake.windows import micros
from tests.expectations.candles import bars_of, candles_of, trades, write_candles
from tests.expectations.minutes import reasons
from tests.expectations.small import SOL, START, bars, check, counts, plant, rows_of, write_hours

START_US = micros(START)


def shifted(rows, index, by):
    """The ids from a row on are higher by so many: so many ids before it are held by nobody."""
    for row in rows[index:]:
        if row["first_trade_id"] is not None:
            row["first_trade_id"] += by
            row["last_trade_id"] += by
    return rows


def never(layout, first, last, from_second, to_second):
    known = gaps.never_existed(layout, SOL)
    at = (START_US + second * 1_000_000 for second in (from_second, to_second))
    gaps.write(layout, SOL, [*known, Gap(first, last, *at, "as the klines show")])


def test_r8_leaves_out_just_the_ids_that_never_existed_and_says_how_many(layout):
    rows = shifted(shifted(bars(60), 10, 3), 20, 2)
    write_hours(layout, rows)
    assert counts(check(layout, 60)) == {"R8": 2}
    first = rows[10]["first_trade_id"]
    never(layout, first - 3, first - 1, 8, 10)
    outcome = check(layout, 60)
    assert counts(outcome) == {"R8": 1}
    assert [row["missing_trades"] for row in rows_of(outcome, "R8")] == [2]
    assert outcome.notes == (
        "R8 does not count 3 trade ids of SOLUSDT that never existed: the official klines show it",
    )  # fmt: skip
    assert outcome.to_json()["days"][0]["never_existed"] == 3
    assert "R8 does not count 3 trade ids" in outcome.report.read_text(encoding="utf-8")
    second = rows[20]["first_trade_id"]
    never(layout, second - 2, second - 1, 18, 20)
    outcome = check(layout, 60)
    assert (counts(outcome), outcome.verdict) == ({}, "PASS")
    assert outcome.to_json()["days"][0]["never_existed"] == 5


def test_r8_counts_a_hole_of_which_only_a_part_never_existed(layout):
    rows = shifted(bars(60), 10, 3)
    write_hours(layout, rows)
    never(layout, rows[10]["first_trade_id"] - 3, rows[10]["first_trade_id"] - 2, 8, 10)
    outcome = check(layout, 60)
    assert [row["missing_trades"] for row in rows_of(outcome, "R8")] == [1]


def test_ids_of_another_day_that_never_existed_excuse_nothing(layout):
    rows = shifted(bars(60), 10, 3)
    write_hours(layout, rows)
    first = rows[10]["first_trade_id"]
    never(layout, first - 3, first - 1, 8 - 172_800, 10 - 172_800)
    outcome = check(layout, 60)
    assert (counts(outcome), outcome.notes) == ({"R8": 1}, ())


def test_r7_calls_no_hole_what_never_existed(layout):
    """Minute 1 differs from its kline; ids are left out between its seconds and within one of them."""
    given = trades(4)
    rows = shifted(bars_of(given), 70, 3)
    hole = rows[70]["first_trade_id"]
    shifted(rows, 81, 2)
    plant(rows, [80], last_trade_id=rows[80]["last_trade_id"] + 2)
    candles = candles_of(given, 4)
    candles[1]["high"] += 1
    write_candles(layout, candles)
    write_hours(layout, rows)
    assert reasons(check(layout, 240)) == {"hole of ours": 1}
    never(layout, hole - 3, hole - 1, 68, 70)
    inside = rows[80]["first_trade_id"] + 1
    never(layout, inside, inside + 1, 80, 80)
    outcome = check(layout, 240)
    assert (counts(outcome), reasons(outcome)) == ({"R7": 1}, {"revision upstream": 1})


def test_r8_compares_nothing_across_a_place_where_ids_start_again_and_sees_the_holes_beside_it(layout):
    rows = bars(240)
    begin = next(at for at in range(130, 240) if rows[at]["first_trade_id"] is not None)
    shifted(rows, begin, 1 - rows[begin]["first_trade_id"])
    shifted(rows, begin + 40, 2)
    write_hours(layout, rows)
    assert counts(check(layout, 240))["R8"] == 2
    at = [START_US + second * 1_000_000 for second in (begin - 1, begin)]
    gaps.write(layout, SOL, [Gap(1, 0, *at, "trade ids start again", gaps.NEW_NUMBERING)], gaps.NEW_NUMBERING)
    outcome = check(layout, 240)
    assert [row["missing_trades"] for row in rows_of(outcome, "R8")] == [2]
    assert any("where the trade ids of SOLUSDT start again" in note for note in outcome.notes)
    assert "R8" not in counts(check(layout, 240, tf="1m")), "the hole is inside a minute"
