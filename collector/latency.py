"""How long after a trade its frame was received: median and 95 % of the last minute. Pure; its memory is fixed.

A histogram of seven slots of ten seconds. Its buckets are 2 % wide (a quantile is right to 1 %), and narrower below
0.1 ms; they go below zero too, which tells of a clock that is wrong.
"""

from math import log1p
from typing import Any

import numpy as np

_SLOT_US = 10_000_000
_SLOTS = 7
_STEP = log1p(0.02)
_LINEAR_US = 100.0
_MIDDLE = 1200  # 100 µs · 1.02^1200 are 24 days
Counts = np.ndarray[Any, np.dtype[np.int64]]


class Latencies:
    """Latencies in microseconds come in, quantiles go out; both are told the time (µs since 1970)."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts: Counts = np.zeros((_SLOTS, 2 * _MIDDLE + 1), np.int64)
        self._slots = [-1] * _SLOTS

    def add(self, latencies: list[int], now: int) -> None:
        """Take in what came just now."""
        if not latencies:
            return
        slot = now // _SLOT_US
        row = slot % _SLOTS
        if self._slots[row] != slot:
            self._counts[row] = 0
            self._slots[row] = slot
        values = np.array(latencies, np.float64)
        found = np.sign(values) * np.rint(np.log1p(np.abs(values) / _LINEAR_US) / _STEP)
        places = np.clip(found, -_MIDDLE, _MIDDLE).astype(np.int64) + _MIDDLE
        self._counts[row] += np.bincount(places, minlength=2 * _MIDDLE + 1)

    def quantiles_ms(self, now: int, *quantiles: float) -> list[float | None]:
        """Return quantiles of the last minute (50 to 60 s) in milliseconds; None where no trade came in it."""
        newest = now // _SLOT_US
        rows = [row for row, slot in enumerate(self._slots) if newest - _SLOTS + 1 < slot <= newest]
        summed = np.cumsum(self._counts[rows].sum(axis=0))
        if not rows or not summed[-1]:
            return [None] * len(quantiles)
        places = [int(np.searchsorted(summed, max(1.0, quantile * summed[-1]))) - _MIDDLE for quantile in quantiles]
        return [round(_value_us(place) / 1000, 3) for place in places]


def _value_us(place: int) -> float:
    size = _LINEAR_US * (np.exp(abs(place) * _STEP) - 1)
    return float(size if place >= 0 else -size)
