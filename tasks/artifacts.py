"""What a flow run leaves to look at in the Prefect UI; on the command line, where there is none, tables are printed."""

import math
from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext
from rich.markup import escape

from expectations.markdown import cell

NOTHING = "–"
"""What a printed table shows where there is no value: not known, or none yet."""
_WIDE = 400


def table(key: str, rows: list[dict[str, Any]], title: str) -> None:
    """Leave a table; ``key`` (lower case, hyphens) strings the runs' tables together. No rows, no table.

    Outside a flow run it is printed on standard error, for the person who has typed the command.

    Args:
        key: What the tables of this flow's runs have in common.
        rows: Values by the name of their column; of any type, None included, and a row may lack columns.
        title: What the table shows.
    """
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    if FlowRunContext.get() is not None:
        whole = [{name: _plain(row.get(name)) for name in names} for row in rows]
        create_table_artifact(table=whole, key=key, description=title)
    else:
        _print(names, rows, title)


def _print(names: list[str], rows: list[dict[str, Any]], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left", box=None)
    for name in names:
        is_text = any(isinstance(row.get(name), str) for row in rows)
        shown.add_column(name, justify="left" if is_text else "right")
    for row in rows:
        shown.add_row(*(escape(_text(row.get(name))) for name in names))
    console = Console(stderr=True)
    if not console.is_terminal:  # what reads a pipe or a file need not scroll: no column is cut for it
        console.width = _WIDE
    console.print(shown)


def _plain(value: Any) -> str | int | float | None:
    """Return a value as JSON has it; what JSON does not have, as text."""
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)


def _text(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def markdown(key: str, text: str, title: str) -> None:
    """Leave a page of Markdown."""
    if FlowRunContext.get() is not None:
        create_markdown_artifact(markdown=text, key=key, description=title)


def link(key: str, target: Path, title: str) -> None:
    """Leave a link to a file of this machine; Prefect makes Markdown of it, in which a file's name is text."""
    if FlowRunContext.get() is not None:
        text = cell(title, None)
        create_link_artifact(link=target.absolute().as_uri(), link_text=text, key=key, description=text)
