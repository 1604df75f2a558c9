"""Lines that contradict each other under one trade id: both are kept as evidence, and none wins without a word.

Of the lines with one id in one numbering (`lake.numbering`) the one that was received first holds (`sql/once.sql`). Each
other content of the id, with another trade time, price, quantity or side, is a contradiction: a JSON line in
``quarantine/contradictions/SYMBOL/2025-10-20T13.jsonl``, by the hour of the line that does not hold.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from lake import files
from lake.layout import Layout
from lake.windows import HOUR_US, SECOND_US, floor_hour

_ID = re.compile(rb'"trade_id"\s*:\s*(\d+)')


@dataclass(frozen=True)
class Line:
    """The content of a raw line of a trade, or of an aggregate (``first_id`` < ``last_id``)."""

    first_id: int
    last_id: int
    ts_event: int
    ts_recv: int
    price: str
    qty: str
    taker_buys: bool

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it apart from other lines."""
        price, qty = Decimal(self.price), Decimal(self.qty)
        return self.first_id, self.last_id, self.ts_event, self.ts_recv, price, qty, self.taker_buys


@dataclass(frozen=True)
class Contradiction:
    """A line that does not hold, in what it differs, and the line that holds its id.

    ``held`` is None where the id belongs to an hour whose raw parts are gone.
    """

    trade_id: int
    differs: str
    held: Line | None
    other: Line

    @classmethod
    def of(
        cls, trade_id: int, differs: str, held: dict[str, Any] | None, other: dict[str, Any]
    ) -> "Contradiction":  # fmt: skip
        """Return a row of `sql/contradictions.sql`."""
        return cls(trade_id, differs, Line(**held) if held else None, Line(**other))

    @property
    def hour(self) -> int:
        """The hour of the line that does not hold."""
        return self.other.ts_event - self.other.ts_event % HOUR_US

    @property
    def seconds(self) -> list[tuple[int, int]]:
        """The seconds that its lines name, each with the id."""
        lines = [line for line in (self.held, self.other) if line]
        return [(self.trade_id, line.ts_event - line.ts_event % SECOND_US) for line in lines]


def put(
    layout: Layout, symbol: str, hours: Sequence[int], found: Sequence[Contradiction], parts: Iterable[Path]
) -> None:  # fmt: skip
    """Keep what contradicts in some hours, in place of what was kept of them before.

    Args:
        layout: The lake.
        symbol: The pair.
        hours: The hours that were built.
        found: What contradicts in them.
        parts: The raw parts of these hours, in which the lines are looked for.
    """
    lines = (line for one in found for line in (one.held, one.other) if line)
    places = _places(layout, parts, {line.last_id for line in lines})
    for hour in hours:
        records = [_record(one, places) for one in found if one.hour == hour]
        path = layout.contradictions(symbol, floor_hour(hour))
        if records:
            files.write_text(path, "".join(json.dumps(record) + "\n" for record in records))
        else:
            path.unlink(missing_ok=True)


def _record(one: Contradiction, places: Mapping[tuple[object, ...], dict[str, Any]]) -> dict[str, Any]:
    return {
        "trade_id": one.trade_id,
        "reason": f"two lines with one trade id: {one.differs} differs"
        + ("" if one.held else ", and the raw part of the line that holds is gone"),
        "held": _shown(one.held, places) if one.held else None,
        "other": _shown(one.other, places),
    }


def _shown(line: Line, places: Mapping[tuple[object, ...], dict[str, Any]]) -> dict[str, Any]:
    told = asdict(line)
    side = "buy" if told.pop("taker_buys") else "sell"
    return {**told, "side": side, **places.get(line.key, {"file": None, "offset": None})}


def _places(layout: Layout, parts: Iterable[Path], ids: set[int]) -> dict[tuple[object, ...], dict[str, Any]]:
    """Where the first line with each content of these ids lies: file and offset in bytes."""
    found: dict[tuple[object, ...], dict[str, Any]] = {}
    for path in sorted(parts) if ids else ():
        data = path.read_bytes()
        for match in _ID.finditer(data):
            if int(match[1]) in ids:
                start, end = data.rfind(b"\n", 0, match.start()) + 1, data.find(b"\n", match.end())
                line = _parsed(data[start : end if end >= 0 else len(data)])
                if line:
                    place = {"file": path.relative_to(layout.base).as_posix(), "offset": start}
                    found.setdefault(line.key, place)
    return found


def _parsed(text: bytes) -> Line | None:
    try:
        told = json.loads(text)
        last = told["trade_id"]
        first = told.get("first_trade_id")
        line = Line(
            last if first is None else first, last, told["ts_event"], told["ts_recv"], told["price"], told["qty"],
            told["side"] == "buy",
        )  # fmt: skip
        hash(line.key)
    except (ValueError, KeyError, TypeError, InvalidOperation):  # a line that is in the quarantine
        return None
    return line


def count(layout: Layout, symbol: str, name: str = "*") -> int:
    """Return how many contradictions are kept of a symbol, of all hours or of those whose names match a pattern."""
    folder = layout.quarantine / "contradictions" / symbol
    return sum(path.read_bytes().count(b"\n") for path in folder.glob(f"{name}.jsonl"))
