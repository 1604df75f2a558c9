"""What takes the space, shown: tables with bars for people, numbers for programs."""

from typing import TYPE_CHECKING, Any

from lake.disk import Disk, existing
from lake.layout import Layout
from lake.usage import Amount, Usage, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST_SYMBOLS = 20
_BAR = 24


def free(layout: Layout) -> Disk:
    """Return what the lake's file system has left."""
    return Disk.of(existing(layout.base))


def days_left(found: Usage, disk: Disk) -> float | None:
    """Return how many days the disk will do at the present rate; None where nothing comes."""
    return disk.free / found.bytes_a_day if found.bytes_a_day else None


def as_json(found: Usage, disk: Disk) -> dict[str, Any]:
    """Return all of it in numbers; bytes, and bytes a day."""
    left = days_left(found, disk)
    return {
        "files": found.files, "bytes": found.bytes, "bytes_per_day": round(found.bytes_a_day),
        "free_bytes": disk.free, "total_bytes": disk.total, "days_left": None if left is None else round(left, 1),
        "kinds": {name: _numbers(one) for name, one in found.kinds.items()},
        "symbols": {
            symbol: {kind: _numbers(one) for kind, one in by_kind.items()}
            for symbol, by_kind in found.largest(MOST_SYMBOLS)
        },
    }  # fmt: skip


def _numbers(one: Amount) -> dict[str, int]:
    return {"files": one.files, "bytes": one.bytes, "bytes_per_day": round(one.bytes_a_day)}


def show(found: Usage, disk: Disk, console: "Console") -> None:
    """Print both tables, and how long the disk will do."""
    console.print(_kinds(found))
    if found.symbols:
        console.print(_symbols(found))
    left = days_left(found, disk)
    room = f"{size(disk.free)} of {size(disk.total)} free"
    pace = "how fast it grows is known after the first whole day"
    if left is not None:
        pace = f"{left:,.0f} days at {size(found.bytes_a_day)} a day"
    console.print(f"{room}: {pace}", highlight=False)


def _kinds(found: Usage) -> "Table":
    table = _table("what", "files", "bytes", "", "a day")
    shown = sorted(found.kinds.items(), key=lambda item: -item[1].bytes)
    most = max(one.bytes for one in found.kinds.values())
    for name, one in ((name, one) for name, one in shown if one.files):
        growth = f"+{size(one.bytes_a_day)}" if one.bytes_a_day else ""
        table.add_row(name, f"{one.files:,}", size(one.bytes), bar(one.bytes, most), growth)
    table.add_section()
    table.add_row("all", f"{found.files:,}", size(found.bytes), "", f"+{size(found.bytes_a_day)}")
    return table


def _symbols(found: Usage) -> "Table":
    from rich.markup import escape

    table = _table("symbol", "raw", "bars", "the rest", "all", "")
    rows = found.largest(MOST_SYMBOLS)
    sums = {symbol: sum(one.bytes for one in by_kind.values()) for symbol, by_kind in rows}
    for symbol, by_kind in rows:
        raw, bars = (by_kind.get(kind, Amount()).bytes for kind in ("raw", "parquet"))
        told = (size(raw), size(bars), size(sums[symbol] - raw - bars), size(sums[symbol]))
        table.add_row(escape(symbol), *told, bar(sums[symbol], max(sums.values())))
    more = len(found.symbols) - len(rows)
    if more:
        table.caption = f"and {more:,} more symbols"
    return table


def _table(*columns: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for number, name in enumerate(columns):
        text = number == 0 or not name
        table.add_column(name, justify="left" if text else "right", no_wrap=True)
    return table


def bar(count: int, most: int) -> str:
    """Return a bar whose length is a share; anything at all is one block."""
    return "█" * max(round(_BAR * count / most), 1 if count else 0) if most else ""
