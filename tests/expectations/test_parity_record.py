"""The record of agreement, `parity.parquet`: a row a symbol-day, replaced, and set aside where it is torn."""

from datetime import timedelta

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.expectations.candles import bars_of, candles_of, trades, write_candles
from tests.expectations.minutes import MINUTES, prepare
from tests.expectations.small import SOL, START, check, plant, write_hours


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


def test_a_day_that_was_validated_before_it_had_ended_is_replaced_by_a_later_look(layout):
    prepare(layout, theirs=lambda rows: plant(rows, [1], open=1.0))
    check(layout, 86_400, start=START.replace(hour=0), now=START + timedelta(minutes=MINUTES))
    write_candles(layout, candles_of(trades(MINUTES), MINUTES))
    check(layout, 12 * 3600, start=START.replace(hour=0))
    [row] = pq.read_table(layout.reports / "parity.parquet").to_pylist()
    assert (row["agree"], row["validated_minutes"]) == (MINUTES, 720)


@pytest.mark.parametrize("torn", [lambda whole: b"", lambda whole: whole[:-9], lambda whole: b"PAR1" + whole[:40],
                                  lambda whole: whole[:200] + bytes(100) + whole[300:]])  # fmt: skip
def test_a_torn_record_of_agreement_is_set_aside_and_made_anew_with_a_note(layout, torn):
    prepare(layout)
    assert check(layout, 60 * MINUTES).notes == ()
    path = layout.reports / "parity.parquet"
    whole = path.read_bytes()
    for aside in ("parity.parquet.damaged", "parity.parquet.damaged-2"):
        path.write_bytes(torn(whole))
        outcome = check(layout, 60 * MINUTES)
        [note] = outcome.to_json()["notes"]
        assert f"reports/{aside}" in note
        assert outcome.verdict == "PASS"
        assert f"set aside in reports/{aside}: " in outcome.report.read_text()
        assert (layout.reports / aside).read_bytes() == torn(whole)
        assert path.read_bytes() == whole
    assert check(layout, 60 * MINUTES).notes == ()


def test_a_torn_record_of_agreement_is_set_aside_where_nothing_can_be_noted_either(layout):
    write_hours(layout, bars_of(trades(MINUTES)))
    path = layout.reports / "parity.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 torn")
    assert "parity.parquet.damaged" in check(layout, 60 * MINUTES).notes[0]
    assert not path.exists()
