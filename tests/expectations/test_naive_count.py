"""Property: report, JSON and pages say what the contract, counted row by row in plain Python, finds."""

import json
import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake.layout import Layout
from tests.expectations.shown import docs, summary
from tests.expectations.small import (
    SOL,
    bars,
    check,
    counts,
    write_hours,
)

MAYBE_PRICE = st.sampled_from([100.0, 100.0, 99.0, 101.0, 0.0, -1.0, None, math.nan, 250.0])
MAYBE_QUOTE = st.sampled_from([99.5, 100.5, None, 100.0, 50.0])


@st.composite
def broken_bars(draw):
    """Bars with random values in random rows, some rows gone, some twice, some of another symbol."""
    rows = bars(draw(st.integers(1, 40)))
    for row in draw(st.lists(st.sampled_from(rows), max_size=6)):
        for name in draw(st.sets(st.sampled_from(["open", "high", "low", "close"]), max_size=3)):
            row[name] = draw(MAYBE_PRICE)
        row["bid"], row["ask"] = draw(MAYBE_QUOTE), draw(MAYBE_QUOTE)
        row["spread"] = None if None in (row["bid"], row["ask"]) else row["ask"] - row["bid"]
        row["symbol"] = draw(st.sampled_from([SOL, SOL, "SUIUSDT"]))
        if row["first_trade_id"] and draw(st.booleans()):
            row["first_trade_id"] += draw(st.integers(-2, 2))
    kept = [row for row in rows if draw(st.integers(0, 9)) > 0] or rows
    return sorted(kept + draw(st.lists(st.sampled_from(kept), max_size=3)), key=lambda row: row["window_start"])


def naively(rows, seconds):
    """The contract, row by row, in plain Python."""

    def there(value):
        return value is not None and not math.isnan(value)

    found = dict.fromkeys(("R0", "R1", "R2", "R3", "R4", "R5", "R6", "R8"), 0)
    seen, own, wide, quoted, last = set(), set(), 0, 0, None
    for row in rows:
        o, h, low, c = (row[name] for name in ("open", "high", "low", "close"))
        pairs = [(low, o), (low, c), (o, h), (c, h), (low, h)]
        found["R0"] += row["symbol"] != SOL
        found["R1"] += any(there(a) and there(b) and a > b for a, b in pairs)
        found["R2"] += any(there(price) and not 0 < price < math.inf for price in (o, h, low, c))
        found["R4"] += not all(there(price) for price in (o, h, low, c))
        if there(row["bid"]) and there(row["ask"]):
            quoted += 1
            found["R3"] += row["ask"] < row["bid"]
            found["R6"] += row["spread"] < 0
            wide += row["spread"] >= 0.05 * (row["bid"] + row["ask"]) / 2
        key = (row["symbol"], row["window_start"])
        again = key in seen
        found["R5"] += again
        seen.add(key)
        if row["symbol"] == SOL:
            own.add(row["window_start"])
            if row["first_trade_id"] is not None and not again:
                found["R8"] += last is not None and row["first_trade_id"] != last + 1
                last = row["last_trade_id"]
    found["R5"] += seconds - len(own)
    found["R6"] += wide if quoted and wide / quoted >= 0.001 else 0
    return {rule: count for rule, count in found.items() if count}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=broken_bars())
def test_report_json_and_pages_say_what_a_naive_count_finds(tmp_path_factory, rows):
    layout = Layout(tmp_path_factory.mktemp("lake"))
    write_hours(layout, rows)
    outcome = check(layout, 50)
    said = json.loads(json.dumps(outcome.to_json(), allow_nan=False))
    expected = naively(rows, 50)
    assert counts(outcome) == expected
    assert {rule["rule"]: rule["violations"] for rule in said["rules"] if rule["violations"]} == expected
    assert summary(outcome) == {rule["rule"]: (rule["checked"], rule["violations"]) for rule in said["rules"]}
    assert {rule: count for rule, count in docs(outcome).items() if count} == expected
    failing = outcome.rows != len(rows) or expected.keys() & {"R0", "R1", "R2", "R3", "R4"}
    duplicates = len(rows) - len({(row["symbol"], row["window_start"]) for row in rows})
    wanted = "FAIL" if failing or duplicates else "INVESTIGATE" if expected else "PASS"
    assert outcome.verdict == said["verdict"] == wanted
