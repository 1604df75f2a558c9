"""Ids that the exchange left out, and trades that we did not record: the klines tell the two apart."""

import random
import shutil
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake import compact, gaps, never_existed, read, transform
from lake.layout import Layout
from lake.windows import MINUTE_US, SECOND_US, Window
from tests import oracle
from tests.conftest import DAY, Raw, content
from tests.lake.recorded import klines_of, put_klines

ALL = Window.parse("2025-10-18", "2025-10-24")
MARGIN = SECOND_US


@st.composite
def markets(draw):
    """Trades of the exchange, whose ids leave some out; which were not recorded; which minutes have no kline."""
    raw = Raw(Layout(Path()))
    number, at, trades = draw(st.integers(1, 10**12)), draw(st.sampled_from([0.0, 61.0, 3500.0, 86_340.0])), []
    pause = draw(st.sampled_from([0, 0, 0, 5]))
    for _ in range(draw(st.integers(3, 25))):
        number += draw(st.sampled_from([1, 1, 1, 1, 2, 4]))
        at += draw(st.sampled_from([0.0, 0.2, 1.0, 5.0, 30.0, 59.5, 200.0]))
        price, qty = f"{draw(st.integers(1, 300))}.{draw(st.integers(0, 99)):02d}", f"0.{draw(st.integers(1, 9))}"
        if len(trades) == pause:
            at += 5400
        trades.append(raw.trade(number, at, price, qty, draw(st.sampled_from(["buy", "sell"]))))
    ids = [trade["trade_id"] for trade in trades]
    lost = draw(st.sets(st.sampled_from(ids), max_size=2)) if draw(st.booleans()) else set()
    without = draw(st.sets(st.integers(0, 70), max_size=2)) if draw(st.booleans()) else set()
    return trades, lost, without


def complete_minutes(recorded):
    """The minutes that are complete by their ids alone."""
    seconds = Counter(second // MINUTE_US for second, bar in oracle.bars(recorded).items() if bar["complete"])
    return {minute for minute, count in seconds.items() if count == 60}


def settled(recorded, lost, known):
    """The stretches of ids that the klines prove to be no trades: their minutes are known and wholly recorded.

    ``lost`` are trades that the klines have and we do not, or that we have and the klines do not.
    """
    doubtful = {line["ts_event"] // MINUTE_US for line in lost}
    odd = doubtful & known & complete_minutes(recorded)
    found = set()
    for left, right in pairwise(sorted(recorded, key=lambda line: line["trade_id"])):
        start, end = (line["ts_event"] // SECOND_US * SECOND_US for line in (left, right))
        minutes = range((start - MARGIN) // MINUTE_US, (end + SECOND_US + MARGIN - 1) // MINUTE_US + 1)
        equal = all(minute in known and minute not in doubtful for minute in minutes)
        if right["trade_id"] > left["trade_id"] + 1 and equal and not {minutes[0] - 1, minutes[-1] + 1} & odd:
            found.add((left["trade_id"] + 1, right["trade_id"] - 1))
    return found


def bars(recorded, stretches):
    """The bars as they would be, had the exchange numbered its trades without these ids."""
    below = {line["trade_id"]: sum(b - a + 1 for a, b in stretches if b < line["trade_id"]) for line in recorded}
    number = {given - less: given for given, less in below.items()}
    found = oracle.bars([{**line, "trade_id": line["trade_id"] - below[line["trade_id"]]} for line in recorded])
    for bar in found.values():
        bar |= {name: bar[name] and number[bar[name]] for name in ("first_trade_id", "last_trade_id")}
    return found


def check(layout, recorded, lost, known):
    never_existed.reconsider(layout, "SOLUSDT", ALL)
    transform.run(layout, "SOLUSDT")
    expected = settled(recorded, lost, known)
    assert {(gap.first_id, gap.last_id) for gap in gaps.never_existed(layout, "SOLUSDT")} == expected
    assert oracle.rows(read.bars(layout, "SOLUSDT", ALL)) == bars(recorded, expected)
    before = content(layout.base)
    assert transform.pending(layout) == []
    assert never_existed.reconsider(layout, "SOLUSDT", ALL).changed == set()
    assert content(layout.base / "ledger" / "gaps") == {
        name.removeprefix("ledger/gaps/"): data for name, data in before.items() if name.startswith("ledger/gaps/")
    }
    assert transform.pending(layout) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(market=markets(), seed=st.integers(0, 10**6))
def test_ids_are_settled_exactly_where_no_trade_is_missing_and_taken_back_where_one_arrives(market, seed):
    trades, lost, without = market
    chance = random.Random(seed)
    missing = [trade for trade in trades if trade["trade_id"] in lost]
    recorded = [trade for trade in trades if trade["trade_id"] not in lost]
    minutes = range((trades[-1]["ts_event"] - DAY) // MINUTE_US + 2)
    rows = klines_of(trades, [minute for minute in minutes if minute not in without])
    known = {DAY // MINUTE_US + minute for minute in minutes if minute not in without}
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        raw, mixed = Raw(layout), list(recorded)
        chance.shuffle(mixed)
        when = chance.randint(0, 3)
        for part in range(3):
            if part == when:
                put_klines(layout, rows)
            raw.put(*mixed[part::3])
            if chance.random() < 0.5:
                transform.run(layout, "SOLUSDT")
            if chance.random() < 0.2:
                shutil.rmtree(layout.ledger.parent, ignore_errors=True)
            if chance.random() < 0.2:
                for day in layout.hour_days("SOLUSDT"):
                    compact.run(layout, "SOLUSDT", day)
        if when == 3:
            transform.run(layout, "SOLUSDT")
            put_klines(layout, rows)
        check(layout, recorded, missing, known)
        if missing:
            raw.put(*missing)
            check(layout, trades, [], known)
        revised = chance.choice(trades)
        put_klines(layout, klines_of([t for t in trades if t != revised], [m for m in minutes if m not in without]))
        check(layout, trades, [revised], known)
