"""The spreads of a symbol over months in bounded memory: a histogram in basis points of the mid price."""

import numpy as np
import pandas as pd

from expectations.checks import spreads
from expectations.outcome import Spreads

_EDGES = np.concatenate([[0.0], np.geomspace(1e-4, 1e6, 2_315)])  # neighbours are 1 % apart
QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


class SpreadTally:
    """Counts the spreads of one symbol, a symbol-day at a time. ``wide``: how many are wide so far."""

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._quoted = self._negative = 0
        self.wide = 0
        self._max: float | None = None
        self._histogram = np.zeros(len(_EDGES), dtype=np.int64)

    def add(self, frame: pd.DataFrame) -> None:
        """Count the spreads of a symbol-day."""
        quoted, negative, wide, part = spreads(frame)
        self._quoted += int(quoted.sum())
        self._negative += int(negative.sum())
        self.wide += int(wide.sum())
        points = part[np.isfinite(part) & (part >= 0) & ~negative] * 10_000
        if len(points):
            self._histogram += np.bincount(np.searchsorted(_EDGES, points, side="right") - 1, minlength=len(_EDGES))
            self._max = max(self._max or 0.0, float(points.max()))

    def result(self) -> Spreads:
        """Return the counts, and the quantiles of the spreads that are not negative."""
        total, upto = int(self._histogram.sum()), np.cumsum(self._histogram)
        quantiles: dict[str, float | None] = dict.fromkeys(QUANTILES)
        for name, share in QUANTILES.items() if total else ():
            quantiles[name] = float(_EDGES[int(np.searchsorted(upto, share * total))])
        return Spreads(self._symbol, self._quoted, self._negative, self.wide, {**quantiles, "max": self._max})
