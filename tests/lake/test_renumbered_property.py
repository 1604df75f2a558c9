"""However often trade ids start again, and however lines come, no trade is lost and nothing is proved across."""

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake import compact, contradictions, gaps, read, transform
from lake.layout import Layout
from lake.windows import Window, moment
from tests import oracle
from tests.conftest import DAY, Raw

ALL = Window.parse("2025-10-18", "2025-10-30")


@st.composite
def markets(draw):
    """Numberings one after the other, each from any id on; with holes, strays, and lines that contradict others."""
    raw, lines, at, strays = Raw(Layout(Path())), [], draw(st.sampled_from([0.0, 3590.0, 86_390.0])), []
    for which in range(draw(st.integers(1, 4))):
        number = draw(st.sampled_from([0, 1, 5, 1000, 10**9]))
        at += draw(st.sampled_from([1.0, 3.0, 500.0, 3600.0, 40_000.0]))
        for _ in range(draw(st.integers(3, 25))):
            price = f"{which + 1}.{draw(st.integers(0, 99)):02d}"
            lines.append(raw.trade(number, at, price, side=draw(st.sampled_from(["buy", "sell"]))))
            number += draw(st.sampled_from([1, 1, 1, 1, 1, 2, 4]))
            at += draw(st.sampled_from([0.0, 0.3, 1.0, 1.0, 5.0, 60.0, 900.0]))
            if draw(st.integers(0, 19)) == 0:
                later = at + draw(st.sampled_from([0.0, 2.0, 3700.0]))
                strays.append(raw.trade(number - 1, later, draw(st.sampled_from([price, "77.5"])), recv=at + 90_000))
    return lines + strays


@pytest.mark.slow(minutes=3)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=markets(), seed=st.integers(0, 10**6))
def test_however_ids_start_again_and_lines_come_the_bars_are_those_of_all_numberings(lines, seed):
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder))
        raw, mixed = Raw(layout), list(lines)
        if chance.random() < 0.7:
            chance.shuffle(mixed)
        while mixed:
            size = chance.randint(1, len(mixed))
            raw.put(*mixed[:size])
            mixed = mixed[size:]
            if chance.random() < 0.5:
                hour = moment(DAY + chance.randint(0, 30) * 3_600_000_000)
                transform.run(layout, "SOLUSDT", chance.choice([None, Window.of_hour(hour)]))
            if chance.random() < 0.2:
                for day in layout.hour_days("SOLUSDT"):
                    compact.run(layout, "SOLUSDT", day)
        transform.run(layout, "SOLUSDT")
        assert gaps.starts(layout, "SOLUSDT") == oracle.numberings(lines)
        assert oracle.rows(read.bars(layout, "SOLUSDT", ALL)) == oracle.bars(lines)
        assert contradictions.count(layout, "SOLUSDT") == oracle.contradictions(lines)
        assert transform.pending(layout) == []
