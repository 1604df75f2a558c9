"""A ledger of an earlier version is brought up to date in place, and the trades that it lost come back."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from lake import gaps, hour_bars, transform
from lake.schemas import BARS
from lake.windows import moment
from tests import oracle
from tests.lake.test_transform import at, built

HOUR = 3600
CHANGED_NS = 1_760_990_000_000_000_000
"""When the raw parts had last changed, by the ledger that was recorded."""


@pytest.fixture
def first(layout, raw_of):
    """The lake of ``ledger_1.sql``: SOLUSDT's ids start again at ten o'clock; BTCUSDT's have a hole."""
    sol, btc = raw_of("SOLUSDT"), raw_of("BTCUSDT")
    old = [sol.trade(n, n * 60) for n in range(180)]
    new = [sol.trade(n, 10 * HOUR + n * 60, "2.0") for n in range(230)]
    parts = [sol.put(*old), sol.put(*new)]
    trades = [btc.trade(n, n * 300) for n in range(40) if n != 20]
    parts += [btc.put(*trades), btc.put(*(btc.quote(n, n * 900) for n in range(14)))]
    for path in {*parts, *(part.parent for part in parts)}:
        os.utime(path, ns=(CHANGED_NS, CHANGED_NS))
    layout.ledger.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(layout.ledger)) as db:
        db.executescript((Path(__file__).parent / "ledger_1.sql").read_text())
        hours = db.execute("SELECT symbol, hour FROM built").fetchall()
    flat = {**oracle.bars(old)[at(HOUR)], "trade_count": 0, "first_trade_id": None, "last_trade_id": None}
    for symbol, hour in hours:  # each has a file with bars; one flat bar stands for them
        row = {"symbol": symbol, "window_start": moment(hour), **flat, "complete": True}
        hour_bars.write(layout, symbol, hour, BARS.conform(pa.Table.from_pylist([row])), None, "snappy")
    return old + new


def test_a_symbol_whose_ids_never_start_again_is_taken_over_without_reading_a_raw_line(layout, first, monkeypatch):
    monkeypatch.setattr("lake.events.Events.add", lambda *_: pytest.fail("a raw file was read"))
    assert transform.pending(layout, ["BTCUSDT"]) == []
    assert transform.pending(layout) == ["SOLUSDT"]
    with closing(sqlite3.connect(layout.ledger)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


def test_trades_that_version_1_dropped_where_ids_start_again_are_in_the_bars_with_the_next_run(layout, first):
    """It had dropped 180 trades of the new numbering, as it held their ids, and wrote flat bars before them."""
    assert transform.run(layout, "SOLUSDT").numberings == 1
    assert gaps.starts(layout, "SOLUSDT") == [at(10 * HOUR)]
    expected = {second: bar for second, bar in oracle.bars(first).items() if second >= at(3 * HOUR)}
    assert {second: bar for second, bar in built(layout).items() if second >= at(3 * HOUR)} == expected
    assert transform.pending(layout) == []


def test_hours_whose_raw_parts_are_gone_are_not_built_again(layout, first):
    """The ledger says that a raw part of the new numbering is gone: its hours keep what they have."""
    with closing(sqlite3.connect(layout.ledger)) as db:
        db.execute("UPDATE part SET gone = 1 WHERE symbol = 'SOLUSDT' AND name = 'part_0002.jsonl'")
        db.commit()
    next(layout.raw.rglob("SOLUSDT/*/part_0002.jsonl")).unlink()
    result = transform.run(layout, "SOLUSDT")
    assert (result.hours, result.kept) == (0, 0)


def test_two_processes_that_meet_an_old_ledger_take_it_over_once(layout, first):
    from lake.ledger import Ledger

    with Ledger(layout, "SOLUSDT") as one, Ledger(layout, "BTCUSDT") as other:
        assert (len(one.dirty()), other.dirty()) == (4, [])
