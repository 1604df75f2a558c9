"""R7: complete minutes equal the official klines; each difference is found and counted."""

import re
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations import limits, parity
from expectations.reasons import LATE, REVISED
from lake import views
from lake.errors import LakeError
from lake.schemas import PARITY
from tests.expectations.candles import bars_of, trades
from tests.expectations.minutes import MINUTES, TFS, at, prepare, reasons, rule
from tests.expectations.small import SOL, START, check, counts, plant, rows_of, write_hours


@TFS
def test_minutes_that_equal_their_klines_pass(layout, tf):
    prepare(layout, skip=(3, 7))
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (outcome.verdict, counts(outcome), rule(outcome).checked) == ("PASS", {}, MINUTES)
    assert outcome.to_json()["parity"] == {
        "complete": MINUTES, "checked": MINUTES, "violations": 0, "reasons": {}, "klines_missing": 0,
        "klines_off_grid": 0,
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
    ours = {kline: name for name, kline in {**limits.EXACT, **limits.VOLUMES}.items()}[column]
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
def test_a_kline_off_the_grid_covers_another_minute_and_is_not_compared_but_counted(layout, tf):
    def late(rows):
        shift = timedelta(milliseconds=14_789)
        return [
            row | {"exchange_open_time": row["open_time"] + shift, "close_time": row["close_time"] + shift, "open": 1.0}
            if index in (2, 3, 4) else row for index, row in enumerate(rows)
        ]  # fmt: skip

    prepare(layout, theirs=late)
    outcome = check(layout, 60 * MINUTES, tf=tf)
    assert (outcome.verdict, counts(outcome), rule(outcome).checked) == ("PASS", {}, MINUTES - 3)
    assert outcome.to_json()["parity"] == {
        "complete": MINUTES, "checked": MINUTES - 3, "violations": 0, "reasons": {}, "klines_missing": 0,
        "klines_off_grid": 3,
    }  # fmt: skip
    assert "Not compared: 3 minutes, whose klines open off the grid" in outcome.report.read_text()
    [row] = pq.read_table(layout.parity).to_pylist()
    assert (row["klines_missing"], row["klines_off_grid"]) == (0, 3)


def test_the_agreement_that_an_earlier_version_kept_is_not_lost(layout):
    prepare(layout)
    check(layout, 60 * MINUTES)
    table = pq.read_table(layout.parity)
    old = table.set_column(1, "day", table["day"].cast("int32")).to_pylist()
    before = [row | {"day": row["day"] - 1} for row in old]
    pq.write_table(
        pa.Table.from_pylist(before, PARITY.arrow).drop_columns(["klines_off_grid"]), layout.parity
    )  # fmt: skip
    check(layout, 60 * MINUTES)
    assert [row["klines_off_grid"] for row in pq.read_table(layout.parity).to_pylist()] == [None, 0]


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
    with pytest.raises(LakeError, match=r"klines_1m\.parquet: damaged"):
        check(layout, 60 * MINUTES)


def test_an_error_in_the_comparison_is_never_a_pass(layout, monkeypatch):
    prepare(layout)
    monkeypatch.setattr(parity, "rolled_up", lambda *_: 1 / 0)
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
    assert (rule(outcome).violations, len(rule(outcome).rows)) == (40, limits.TOP)
    assert reasons(outcome) == {REVISED: 40}
