"""A judged heartbeat on a terminal, in colours where it has any."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lake.health_parts import Heartbeat
from lake.health_report import ERROR, HEALTHY, STARTING, STOPPED, rows, short, summary, today

_OF_STATE = {HEALTHY: "bold green", STARTING: "bold cyan", ERROR: "bold red", STOPPED: "bold yellow"}
_OF_STATUS = {"starting": "cyan", "running": "green", "idle": "cyan", "error": "bold red", "stopped": "dim"}


def show(found: Heartbeat, console: Console | None = None) -> None:
    """Print it: the state as the first word, what is wrong with the remedy, each part, what has come today."""
    console = console or Console(highlight=False)
    console.print(Text(found["state"], _OF_STATE[found["state"]]), Text(summary(found)), soft_wrap=True)
    for one in found["problems"]:
        console.print(Text(f"  {one['part']}: {one['remedy']}", "yellow"), soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("part", "status", "last seen (UTC)", ""):
        table.add_column(heading, no_wrap=bool(heading))
    for name, status, seen, figures in rows(found):
        table.add_row(Text(name), Text(status, _OF_STATUS[status]), Text(seen), Text(figures))
    console.print("", table, "", sep="\n")
    console.print(Text(f"{today(found)} As of {short(found['ts_utc'])} UTC."), soft_wrap=True)
