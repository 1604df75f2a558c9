"""Two contents under one trade id: one holds by a stated rule, the other is kept, their seconds are not complete."""

import json

import pytest

from lake import contradictions, doctor_data, raw_sums, transform
from lake.windows import moment
from tests import oracle
from tests.conftest import DAY
from tests.lake.test_transform import at, built

HOUR = 3600


def evidence(layout, hour=0):
    path = layout.contradictions("SOLUSDT", moment(at(hour * HOUR)))
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def market(raw, count=10, start=0):
    return [raw.trade(1 + n, start + n) for n in range(count)]


@pytest.mark.parametrize(
    ("change", "differs"),
    [({"price": "7.5"}, "price"), ({"qty": "2.0"}, "quantity"), ({"side": "sell"}, "side"),
     ({"ts_event": DAY + 5_002_000}, "trade time"), ({"price": "7.5", "side": "sell"}, "price, side")],
)  # fmt: skip
def test_the_line_received_first_holds_and_the_other_is_kept_with_both_contents_and_the_reason(
    layout, raw, change, differs
):
    lines = market(raw)
    other = {**raw.trade(6, 5, recv=9), **change}
    raw.put(*lines)
    raw.put(lines[0], other)
    assert transform.run(layout, "SOLUSDT").contradictions == 1
    assert built(layout) == oracle.bars([*lines, other])
    assert not built(layout)[at(5)]["complete"]
    (record,) = evidence(layout)
    assert (record["trade_id"], record["reason"]) == (6, f"two lines with one trade id: {differs} differs")
    for line, said in ((lines[5], record["held"]), (other, record["other"])):
        assert (said["ts_event"], said["ts_recv"], said["side"]) == (line["ts_event"], line["ts_recv"], line["side"])
        assert (float(said["price"]), float(said["qty"])) == (float(line["price"]), float(line["qty"]))


def test_the_seconds_that_contradicting_lines_name_are_not_complete_and_no_others(layout, raw):
    """Trade 3 stands at second 6, or at 12 by another line."""
    lines = [raw.trade(1, 0), raw.trade(2, 3), raw.trade(3, 6), raw.trade(4, 9), raw.trade(5, 15), raw.trade(6, 18)]
    raw.put(*lines, raw.trade(3, 12, recv=20))
    transform.run(layout, "SOLUSDT")
    found = built(layout)
    assert sorted(found) == [at(s) for s in range(19)]
    assert [s for s in range(19) if not found[at(s)]["complete"]] == [0, 6, 12, 18]


def test_the_same_trade_that_came_twice_is_no_contradiction(layout, raw):
    """One source has milliseconds and another microseconds; receive times always differ."""
    lines = [
        raw.trade(1, 1),
        raw.trade(2, 2.0004),
        {**raw.trade(2, 2.0, recv=50), "qty": "1.00000000"},
        raw.trade(3, 3),
    ]
    raw.put(*lines)
    assert transform.run(layout, "SOLUSDT").contradictions == 0
    assert evidence(layout) == []
    assert built(layout)[at(2)]["complete"]


def test_a_contradiction_that_is_taken_out_of_raw_is_none_any_more(layout, raw):
    lines = market(raw)
    raw.put(*lines)
    part = raw.put(raw.trade(6, 5, "7.5", recv=9), raw.trade(11, 10))
    transform.run(layout, "SOLUSDT")
    assert len(evidence(layout)) == 1
    part.write_text(json.dumps(raw.trade(11, 10)) + "\n")
    raw_sums.add(part.parent, {part.name: raw_sums.of(part)})
    assert transform.run(layout, "SOLUSDT").contradictions == 0
    assert evidence(layout) == []
    assert built(layout) == oracle.bars([*lines, raw.trade(11, 10)])


def test_both_hours_of_a_contradiction_know_of_it_whichever_is_built(layout, raw):
    """Trade 5 stands in the first hour, by another line in the third; then the first hour alone gets a late trade."""
    lines = [*market(raw), *(raw.trade(11 + n, 2 * HOUR + 10 * n) for n in range(5))]
    odd = raw.trade(5, 2 * HOUR + 20, recv=90_000)
    raw.put(*lines[:7], *lines[8:])
    raw.put(odd)
    transform.run(layout, "SOLUSDT")
    raw.put(lines[7])
    transform.run(layout, "SOLUSDT")
    assert built(layout) == oracle.bars([*lines, odd])
    assert (evidence(layout, 0), len(evidence(layout, 2))) == ([], 1)
    assert contradictions.count(layout, "SOLUSDT") == 1


def test_an_id_of_another_numbering_contradicts_nothing(layout, raw):
    raw.put(*market(raw), *(raw.trade(1 + n, 100 + n, "7.5") for n in range(10)))
    assert transform.run(layout, "SOLUSDT").contradictions == 0
    assert evidence(layout) == []


def test_an_aggregate_and_the_trades_that_it_contains_do_not_contradict_each_other(layout, raw):
    aggregate = {**raw.trade(4, 1, qty="4.0"), "first_trade_id": 2}
    raw.put(raw.trade(1, 0), aggregate, raw.trade(2, 1, qty="1.5"), raw.trade(3, 1), raw.trade(4, 1), raw.trade(5, 2))
    assert transform.run(layout, "SOLUSDT").contradictions == 0
    assert built(layout)[at(1)]["complete"]
    raw.put({**aggregate, "qty": "5.0", "ts_recv": DAY + 9_000_000})
    assert transform.run(layout, "SOLUSDT").contradictions == 1
    assert (built(layout)[at(1)]["volume_base"], built(layout)[at(1)]["complete"]) == (4.0, False)


def test_doctor_counts_contradictions_and_says_where_ids_start_again(layout, raw):
    raw.put(*market(raw))
    transform.run(layout, "SOLUSDT")
    assert (found := doctor_data.trade_ids(layout)).state == "ok", found
    raw.put(*market(raw, start=60), raw.trade(6, 5, "7.5", recv=70))
    transform.run(layout, "SOLUSDT")
    found = doctor_data.trade_ids(layout)
    assert found.state == "warn"
    assert "1 line contradicts" in found.said
    assert "SOLUSDT at 2025-10-20T00:01:00Z" in found.said
