import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake import compact, read, transform
from lake.layout import Layout
from lake.windows import HOUR_US, Window, moment
from tests import oracle
from tests.conftest import DAY, Raw

ALL = Window.parse("2025-10-18", "2025-10-24")


@st.composite
def markets(draw):
    """Trades whose ids run on or have holes, at times that mostly go forward, and quotes, over up to two days."""
    raw = Raw(Layout(Path()))
    count = draw(st.integers(1, 40))
    number, at, lines = draw(st.integers(1, 10**12)), draw(st.sampled_from([0.0, 3590.0, 86_390.0])), []
    for _ in range(count):
        number += draw(st.sampled_from([1, 1, 1, 1, 1, 2, 5]))
        at = max(0.0, at + draw(st.sampled_from([0.0, 0.0, 0.001, 0.4, 1.0, 3.0, 40.0, 3600.0, 9000.0, -0.7])))
        price = f"{draw(st.integers(1, 10**12))}.{draw(st.integers(0, 10**8 - 1)):08d}"
        qty = f"{draw(st.integers(0, 10**6))}.{draw(st.integers(1, 10**8 - 1)):08d}"
        recv = at + draw(st.sampled_from([-1.3, 0.001, 0.2, 90_000.0]))
        lines.append(raw.trade(number, at, price, qty, draw(st.sampled_from(["buy", "sell"])), recv=max(0.0, recv)))
        if draw(st.integers(0, 9)) == 0:
            later = at + draw(st.sampled_from([0.0, 0.9, 4000.0]))
            lines.append(raw.trade(number, later, "7.5", recv=95_000.0 + later))
        if draw(st.booleans()):
            lines.append(raw.quote(number, max(0.0, recv), f"{draw(st.integers(1, 9))}.00000001", "9.5"))
    return lines


def hours_apart(lines):
    """The most hours that two trade times of one id are apart."""
    hours = {}
    for line in lines:
        if line["stream"] == "trade":
            hours.setdefault(line["trade_id"], []).append(line["ts_event"] // HOUR_US)
    return max(max(found) - min(found) for found in hours.values())


@pytest.mark.slow(minutes=3)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=markets(), seed=st.integers(0, 10**6))
def test_however_lines_are_shuffled_doubled_and_cut_into_parts_and_runs_the_bars_are_those_of_the_exact_arithmetic(
    lines, seed
):
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        raw = Raw(layout)
        mixed = lines + chance.sample(lines, chance.randint(0, len(lines)))
        chance.shuffle(mixed)
        # With the ledger goes the knowledge that a whole flat hour lay between two times of one id, which no exchange
        # sends: its bars would stay. Such markets keep their ledger.
        loses_ledger = 0.0 if hours_apart(lines) > 1 else 0.1
        while mixed:
            size = chance.randint(1, len(mixed))
            raw.put(*mixed[:size])
            mixed = mixed[size:]
            if chance.random() < 0.4:
                hour = moment(DAY + chance.randint(0, 30) * 3_600_000_000)
                transform.run(layout, "SOLUSDT", chance.choice([None, Window.of_hour(hour)]))
            if chance.random() < loses_ledger:
                shutil.rmtree(layout.ledger.parent, ignore_errors=True)
            if chance.random() < 0.2:
                for day in layout.hour_days("SOLUSDT"):
                    compact.run(layout, "SOLUSDT", day)
        transform.run(layout, "SOLUSDT")
        assert oracle.rows(read.bars(layout, "SOLUSDT", ALL)) == oracle.bars(lines)
        assert transform.pending(layout) == []
