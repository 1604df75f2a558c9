"""R7: complete minutes equal the official klines; each kind of difference is found, classified and counted."""

import json
import re
from datetime import timedelta

import duckdb
import pyarrow.parquet as pq
import pytest

from expectations import parity, rulepack
from lake import views
from lake.errors import LakeError
from tests.expectations.candles import bars_of, candles_of, trades, write_candles
from tests.expectations.small import SOL, START, check, counts, plant, rows_of, write_hours

MINUTES = 10
HOLE, TWICE, LATE, REVISED = parity.REASONS
TFS = pytest.mark.parametrize("tf", ["1s", "1m"])


def prepare(layout, minutes=MINUTES, *, skip=(), mine=lambda rows: rows, theirs=lambda rows: rows):
    given = trades(minutes, skip=skip)
    write_hours(layout, mine(bars_of(given)))
    write_candles(layout, theirs(candles_of(given, minutes)))


def at(minute):
    return (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def rule(outcome):
    return next(one for one in outcome.rules if one.rule == "R7")


def reasons(outcome):
    return outcome.to_json()["parity"]["reasons"]


@TFS
def test_minutes_that_equal_their_klines_pass(layout, tf):
    prepare(layout, skip=(3, 7))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (outcome.verdict, counts(outcome), rule(outcome).checked) == ("PASS", {}, MINUTES)
    assert outcome.to_json()["parity"] == {
        "complete": MINUTES, "checked": MINUTES, "violations": 0, "reasons": {}, "klines_missing": 0,
    }  # fmt: skip


UNEQUAL = [
    ("open", 100.0), ("high", 999.0), ("low", 1.0), ("close", 100.0), ("volume", 1.0), ("quote_volume", 1.0),
    ("taker_base_vol", 1.0), ("taker_quote_vol", 1.0), ("trades", 95),
]  # fmt: skip
WHERE = [[0], [MINUTES - 1], [4, 5], list(range(MINUTES))]


@TFS
@pytest.mark.parametrize(("column", "value"), UNEQUAL)
@pytest.mark.parametrize("where", WHERE)
def test_each_column_that_differs_alone_is_found_exactly(layout, tf, column, value, where):
    prepare(layout, theirs=lambda rows: plant(rows, where, **{column: value}))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (counts(outcome), outcome.verdict) == ({"R7": len(where)}, "INVESTIGATE")
    rows = rows_of(outcome, "R7")
    assert [row["window_start"] for row in rows] == [at(minute) for minute in where]
    ours = {kline: name for name, kline in {**parity.EXACT, **parity.VOLUMES}.items()}[column]
    assert {row["differs"] for row in rows} == {ours}
    assert all(row[f"kline_{column}"] == value != row[f"our_{ours}"] for row in rows)
    assert reasons(outcome) == {LATE if column == "trades" else REVISED: len(where)}


@TFS
@pytest.mark.parametrize(("off", "violations"), [(0.9e-9, 0), (1.1e-9, 1)])
def test_volumes_may_differ_by_a_part_in_a_billion(layout, tf, off, violations):
    def shifted(rows):
        return plant(rows, [2], volume=rows[2]["volume"] * (1 + off))

    prepare(layout, theirs=shifted)
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert rule(outcome).violations == violations
    assert outcome.days[0].parity.largest == pytest.approx(off, rel=1e-3)


def test_the_page_shows_ours_beside_theirs_after_the_reason(layout):
    prepare(layout, theirs=lambda rows: plant(rows, [3], close=1.0, volume=2.0))
    page = check(layout, 60 * MINUTES).days[0].page.read_text()
    table = page[page.index('id="R7"') :]
    head = re.findall(r"<th[^>]*>([^<]*)</th>", table[: table.index("</thead>")])
    assert head == ["symbol", "window start", "reason", "missing ids", "differs", "our close", "kline close",
                    "our volume base", "kline volume"]  # fmt: skip


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
    gone = {"volume_base": 0.0, "volume_quote": 0.0, "taker_buy_base": 0.0, "taker_buy_quote": 0.0, "trade_count": 0,
            "vwap": None, "first_trade_id": None, "last_trade_id": None}  # fmt: skip
    prepare(layout, mine=lambda rows: plant(rows, [118], **gone))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert reasons(outcome) == {HOLE: 1}
    assert rows_of(outcome, "R7")[0]["missing_ids"] == "1190-1191"


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


@TFS
def test_minutes_that_are_not_complete_are_not_compared(layout, tf):
    prepare(layout, mine=lambda rows: plant(rows, [70], complete=False), theirs=lambda rows: plant(rows, [1], open=1.0))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (counts(outcome), rule(outcome).checked) == ({}, MINUTES - 1)


def test_an_unknown_complete_is_no_proof(layout):
    prepare(layout, mine=lambda rows: plant(rows, [70], complete=None), theirs=lambda rows: plant(rows, [1], open=1.0))
    assert rule(check(layout, 60 * MINUTES, tf="1s")).checked == MINUTES - 1


@TFS
def test_a_kline_of_another_symbol_in_the_file_is_not_what_ours_are_compared_with(layout, tf):
    def mixed(rows):
        return [{**rows[2], "symbol": "SUIUSDT", "open": 7.0}, {**rows[5], "symbol": "SUIUSDT"}, *rows[:5], *rows[6:]]

    prepare(layout, theirs=mixed)
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (counts(outcome), rule(outcome).checked) == ({}, MINUTES - 1)


@TFS
def test_missing_klines_are_no_violation_but_said(layout, tf):
    prepare(layout, theirs=lambda rows: rows[2:5])
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (outcome.verdict, rule(outcome).checked) == ("PASS", 3)
    assert outcome.to_json()["parity"]["klines_missing"] == MINUTES - 3
    assert f"Klines not there: {MINUTES - 3} minutes; fetch with `backfill-binance`" in outcome.report.read_text()


@TFS
def test_no_klines_at_all_is_said_and_compares_nothing(layout, tf):
    write_hours(layout, bars_of(trades(MINUTES)))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (outcome.verdict, rule(outcome).checked, outcome.to_json()["parity"]["klines_missing"]) == (
        "PASS",
        0,
        MINUTES,
    )
    assert "R7 had nothing to compare" in outcome.report.read_text()
    assert not (layout.reports / "parity.parquet").exists()


def test_only_minutes_wholly_in_the_window_are_compared(layout):
    prepare(layout, theirs=lambda rows: plant(rows, [0, MINUTES - 1], open=1.0))
    outcome = check(layout, 60 * MINUTES - 2, start=START + timedelta(seconds=1))
    assert (counts(outcome), rule(outcome).checked) == ({}, MINUTES - 2)


def test_klines_that_cannot_be_read_are_never_a_pass(layout):
    prepare(layout)
    path = layout.kline_file(SOL, START.date(), "1m")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(LakeError, match=r"klines_1m\.parquet: cannot be read"):
        check(layout, 60 * MINUTES)


def test_an_error_in_the_comparison_is_never_a_pass(layout, monkeypatch):
    prepare(layout)
    monkeypatch.setattr(parity, "rolled_up", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        check(layout, 60 * MINUTES)
    assert not list(layout.reports.glob("*.md"))


def test_seconds_and_minutes_say_the_same_and_so_does_sql(layout):
    prepare(layout, 60, skip=(9,), theirs=lambda rows: plant(plant(rows, range(0, 60, 7), close=1.0), [3, 4], trades=5))
    one, other = (check(layout, 3600, tf=tf) for tf in ("1s", "1m"))
    assert (rule(one).checked, rule(one).violations, rule(one).rows, reasons(one)) == (
        rule(other).checked, rule(other).violations, rule(other).rows, reasons(other),
    )  # fmt: skip
    with views.connect(layout) as con:
        [found] = con.sql("""
            SELECT count(*), count(*) FILTER (ours.open <> k.open OR ours.high <> k.high OR ours.low <> k.low
                OR ours.close <> k.close OR ours.trade_count <> k.trades
                OR abs(ours.volume_base - k.volume) > 1e-9 * k.volume
                OR abs(ours.taker_buy_quote - k.taker_quote_vol) > 1e-9 * k.taker_quote_vol)
            FROM bars_1m AS ours JOIN klines_1m AS k USING (symbol, window_start) WHERE complete""").fetchall()
    assert found == (rule(one).checked, rule(one).violations) == (60, 11)


def test_the_first_offending_minutes_are_kept_and_all_are_counted(layout):
    prepare(layout, 40, theirs=lambda rows: plant(rows, range(40), close=1.0))
    outcome = check(layout, 2400)
    assert (rule(outcome).violations, len(rule(outcome).rows)) == (40, rulepack.TOP)
    assert reasons(outcome) == {REVISED: 40}


def test_agreement_is_kept_a_row_a_symbol_day_and_replaced(layout):
    prepare(layout, theirs=lambda rows: plant(rows, [1], open=1.0))
    check(layout, 60 * MINUTES)
    write_candles(layout, candles_of(trades(MINUTES), MINUTES))
    outcome = check(layout, 60 * MINUTES)
    path = layout.reports / "parity.parquet"
    [row] = pq.read_table(path).to_pylist()
    assert (row["symbol"], str(row["day"]), row["compared"], row["agree"], row["share"]) == (
        SOL, "2025-10-20", MINUTES, MINUTES, 1.0,
    )  # fmt: skip
    assert duckdb.sql(f"SELECT agree FROM '{path}'").fetchall() == [(MINUTES,)]
    assert "| 2025-10-20 | 1 | 10 | 10 | 100.0000 % | SOLUSDT 100.0000 % |" in outcome.report.read_text()


def test_part_of_a_day_does_not_hide_what_was_found_of_all_of_it(layout):
    prepare(layout, theirs=lambda rows: plant(rows, [1], open=1.0))
    check(layout, 60 * MINUTES)
    check(layout, 120, start=START + timedelta(minutes=5))
    [row] = pq.read_table(layout.reports / "parity.parquet").to_pylist()
    assert (row["compared"], row["agree"], row["validated_minutes"]) == (MINUTES, MINUTES - 1, MINUTES)
