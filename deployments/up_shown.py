"""The parts of a lake that is up, as people look at them."""

from typing import Any

from rich.markup import escape
from rich.table import Table

_COLORS = {
    "running": "green",
    "reused": "green",
    "starting": "yellow",
    "waiting": "dim",
    "silent": "yellow",
    "died": "red",
}


def table(told: dict[str, Any]) -> Table:
    """Return the parts as people look at them."""
    columns = ("part", "state", "pid", "restarts", "where", "said last")
    shown = Table(*columns, title=f"crypto-lake, {told.get('ts_utc', '')}")
    for part in told["parts"]:
        state = f"[{_COLORS.get(part['state'], 'default')}]{part['state']}[/]"
        numbers = (str(part[name] or "") for name in ("pid", "restarts"))
        shown.add_row(part["name"], state, *numbers, part["where"], escape(part["said"]))
    return shown
