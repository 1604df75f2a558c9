"""Lines that contradict each other under one trade id: one holds by a stated rule, the other is kept as evidence.

Of the lines with one id in one numbering (`lake.numbering`) the one received first holds. Each other content of the id,
with another trade time, price, quantity or side, is a contradiction: a JSON line with both in
``quarantine/contradictions/SYMBOL/2025-10-20T13.jsonl``, in the hour of the line that does not hold. The raw lines stay
where they are. No second that one of the lines names is complete.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from lake import files
from lake.layout import Layout
from lake.windows import HOUR_US, floor_hour


@dataclass(frozen=True)
class Contradiction:
    """A line that does not hold, in what it differs, and the line that holds its id (`sql/contradictions.sql`)."""

    trade_id: int
    differs: str
    held: dict[str, Any]
    other: dict[str, Any]

    @property
    def hour(self) -> int:
        """The hour of the line that does not hold."""
        return _hour(self.other)

    @property
    def hours(self) -> set[int]:
        """The hours of both lines."""
        return {_hour(self.held), _hour(self.other)}


def _hour(line: dict[str, Any]) -> int:
    at: int = line["ts_event"]
    return at - at % HOUR_US


def put(layout: Layout, symbol: str, hour: int, found: Iterable[Contradiction]) -> int:
    """Keep what contradicts in an hour in place of what was kept of it before; return how many lines."""
    path = layout.contradictions(symbol, floor_hour(hour))
    records = [asdict(one) | {"reason": f"two lines with one trade id: {one.differs} differs"} for one in found]
    if records:
        files.write_text(path, "".join(json.dumps(record) + "\n" for record in records))
    else:
        path.unlink(missing_ok=True)
    return len(records)


def count(layout: Layout, symbol: str) -> int:
    """Return how many lines are kept of a symbol."""
    folder = layout.quarantine / "contradictions" / symbol
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl"))
