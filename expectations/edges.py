"""The trade ids on both sides of a stretch of time: what is held beside it tells of a hole at its very edge.

A symbol without a trade for longer than a day, or a file there that cannot be read, tells nothing: then it is None.
"""

from collections.abc import Iterable
from datetime import date, datetime

from expectations.days import read
from expectations.tables import TABLES
from lake.errors import LakeError
from lake.layout import Layout
from lake.windows import DAY, Window


def trade_id_before(layout: Layout, symbol: str, at: datetime) -> int | None:
    """Return the last trade id in the 24 hours before a moment."""
    return _nearest(layout, symbol, reversed(list(Window(at - DAY, at).parts())), "last_trade_id", -1)


def trade_id_after(layout: Layout, symbol: str, at: datetime) -> int | None:
    """Return the first trade id in the 24 hours from a moment on."""
    return _nearest(layout, symbol, Window(at, at + DAY).parts(), "first_trade_id", 0)


def _nearest(
    layout: Layout, symbol: str, parts: Iterable[tuple[date, Window]], column: str, place: int
) -> int | None:  # fmt: skip
    """The id in this place of the first of the parts of days that has any."""
    for day, part in parts:
        try:
            found = read(layout, TABLES["bars"], symbol, day, part, "1s", part.end, strays=False).ids(column)
        except LakeError:
            return None
        if len(found):
            return int(found[place].as_py())
    return None
