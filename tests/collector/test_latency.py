"""Quantiles of the last minute, beside the exact ones; the time is passed in."""

import numpy as np
import pytest

from collector.latency import Latencies

NOW = 1_760_918_400_000_000
SECOND = 1_000_000


def test_quantiles_are_right_to_one_percent_at_any_size():
    values = np.random.default_rng(1).lognormal(np.log(40_000), 1.5, 50_000).astype(int).tolist()
    latencies = Latencies()
    for number in range(50):
        latencies.add(values[number * 1000 : (number + 1) * 1000], NOW + number * SECOND)
    found = latencies.quantiles_ms(NOW + 50 * SECOND, 0.5, 0.95)
    assert found == pytest.approx([np.quantile(values, 0.5) / 1000, np.quantile(values, 0.95) / 1000], rel=0.011)


def test_a_trade_is_forgotten_after_a_minute_and_not_before_fifty_seconds():
    latencies = Latencies()
    latencies.add([5000], NOW)
    latencies.add([9000] * 3, NOW + 50 * SECOND)
    assert latencies.quantiles_ms(NOW + 59 * SECOND, 0.0) == [pytest.approx(5, rel=0.011)]
    assert latencies.quantiles_ms(NOW + 60 * SECOND, 0.0) == [pytest.approx(9, rel=0.011)]
    assert latencies.quantiles_ms(NOW + 110 * SECOND, 0.5, 0.95) == [None, None]
    latencies.add([1000], NOW + 70 * SECOND)
    assert latencies.quantiles_ms(NOW + 70 * SECOND, 0.0) == [pytest.approx(1, rel=0.011)], "its slot began anew"


def test_a_clock_that_is_wrong_shows_below_zero_and_nothing_is_too_large():
    latencies = Latencies()
    latencies.add([-3_000_000, 10**15, 0], NOW)
    assert latencies.quantiles_ms(NOW, 0.0, 0.5) == [pytest.approx(-3000, rel=0.011), 0.0]
    assert latencies.quantiles_ms(NOW, 1.0)[0] > 10**9
    assert Latencies().quantiles_ms(NOW, 0.5) == [None]
