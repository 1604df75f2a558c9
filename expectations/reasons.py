"""Why a complete minute differs from its kline (R7): what the trade ids of its seconds prove.

The reason is what the data prove, the first of these that holds for a minute:

===================== ==================================================================================================
hole of ours          trade ids in the minute, or between it and the traded second before or after, do not run on, or
                      a second has fewer trades than ids: those trades are missing, whatever `complete` says. At the
                      edges of what is validated, the traded second beside it counts, where it is held. Ids that are
                      settled as never existed (`lake.never_existed`) are not missing; none are between two numberings
trades counted twice  ids overlap, or a second has more trades than ids
late trade            ids run on and are as many as the trades, but the kline counts another number: trades came after
                      the bar was written, or are counted in another minute
revision upstream     ids run on, the counts agree, a price or volume differs: one side was made of other values
===================== ==================================================================================================
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lake.gaps import Known
from lake.windows import MINUTE_US

HOLE, TWICE, LATE, REVISED = REASONS = ("hole of ours", "trades counted twice", "late trade", "revision upstream")


class Ids:
    """The trade ids of a day's seconds in order: what is missing of a minute, and why it can differ."""

    def __init__(
        self, stored: pa.Table, previous: int | None, following: Callable[[], int | None], known: Known
    ) -> None:
        """Take the day's seconds, the last trade id before them, what finds the first after them, and what is known."""
        self._gaps = known
        has_ids = pc.and_(pc.is_valid(stored["first_trade_id"]), pc.is_valid(stored["last_trade_id"]))
        traded = stored.filter(has_ids)
        start, index = np.unique(_integers(traded, "window_start"), return_index=True)
        traded = traded.take(pa.array(index))
        self._start = start
        self._first, self._last = (_integers(traded, name) for name in ("first_trade_id", "last_trade_id"))
        count = pc.fill_null(traded["trade_count"], 0).to_numpy()
        self._lack = self._last - self._first + 1 - count - known.between(self._first, self._last, start)
        self._known = previous
        self._following: Callable[[], int | None] | None = following
        self._join()

    def _join(self) -> None:
        """Put before each traded second the trade id that it follows, and how many are missing between."""
        first = self._known if self._known is not None else int(self._first[0]) - 1 if len(self._first) else 0
        self._before = np.concatenate([np.array([first], np.int64), self._last])[: len(self._first)]
        last = self._start[-1] if len(self._start) else 0  # the first trade after the day counts as of its last second
        at = np.append(self._start, last)[: len(self._first)]
        self._jump = self._first - self._before - 1 - self._gaps.between(self._before, self._first, at)
        self._jump[np.diff(self._gaps.number(at), prepend=0) > 0] = 0

    def _look_beyond(self) -> None:
        """Add the first trade after the day; it costs a file, so only where a minute differs that nothing follows."""
        following = self._following() if self._following else None
        self._following = None
        if following is not None and (len(self._last) or self._known is not None):
            self._first = np.append(self._first, following)
            self._join()

    def reason(self, minute_us: int, *, counts_differ: bool) -> tuple[str, str | None]:
        """Return why a complete minute differs, and the trade ids that it lacks, if any do."""
        low, high = np.searchsorted(self._start, [minute_us, minute_us + MINUTE_US]).tolist()
        if high == len(self._start):
            self._look_beyond()
        # The traded second after the minute shows a hole at its end.
        jumps, lacks = self._jump[low : high + 1], self._lack[low:high]
        holes = [f"{self._before[at] + 1}-{self._first[at] - 1}" for at in low + np.flatnonzero(jumps > 0)]
        holes += [f"{self._lack[at]} of {self._first[at]}-{self._last[at]}" for at in low + np.flatnonzero(lacks > 0)]
        if holes:
            return HOLE, ", ".join(holes[:3]) + (", …" if len(holes) > 3 else "")
        if (jumps < 0).any() or (lacks < 0).any():
            return TWICE, None
        return (LATE if counts_differ else REVISED), None


def _integers(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = table[name].cast(pa.int64()).to_numpy()
    return found
