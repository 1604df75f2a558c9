"""Rows of klines that are not what they should be, in REST's answers and in the archive's files alike."""

import json
from collections.abc import Callable
from typing import Any

from simulator.faults import Fault

Row = list[Any]
"""A kline's twelve fields, as REST or a file has them: texts, or numbers where REST has numbers."""
_HIGH, _LOW, _CLOSE, _VOLUME = 2, 3, 4, 5


def odd(text: str, fault: Fault) -> str:
    """Return a REST answer as an ``odd_klines`` fault has it: rows that open in its span become odd."""
    low, high = (fault.parameters[name] // 1000 for name in ("from_us", "to_us"))
    rows = json.loads(text)
    within = [low <= row[0] < high for row in rows]
    return json.dumps(SHAPES[fault.parameters["shape"]](rows, within))


def _each(change: Callable[[Row], list[Row]]) -> Callable[[list[Row], list[bool]], list[Row]]:
    """Return what puts other rows in the place of each row that is meant."""
    return lambda rows, meant: [
        new for row, is_meant in zip(rows, meant, strict=True) for new in (change(row) if is_meant else [row])
    ]


def _with(row: Row, **values: Any) -> Row:
    return [values.get(f"f{at}", value) for at, value in enumerate(row)]


def _unordered(rows: list[Row], meant: list[bool]) -> list[Row]:
    moved = [row for row, is_meant in zip(rows, meant, strict=True) if is_meant][::-1]
    return [moved.pop(0) if is_meant else row for row, is_meant in zip(rows, meant, strict=True)]


SHAPES: dict[str, Callable[[list[Row], list[bool]], list[Row]]] = {
    "repeated": _each(lambda row: [row, row, row]),
    "contradicting": _each(lambda row: [row, _with(row, f5="999.00000000")]),
    "unordered": _unordered,
    "negative_price": _each(lambda row: [_with(row, f3=f"-{row[_LOW]}")]),
    "high_below_low": _each(lambda row: [_with(row, f2=row[_LOW], f3=row[_HIGH])]),
    "no_number": _each(lambda row: [_with(row, f5="NaN")]),
    "backwards": _each(lambda row: [_with(row, f6=row[0])]),
}
"""What becomes of the rows that are meant (the second list says which)."""
