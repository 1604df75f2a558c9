"""What a flow run leaves to look at in the Prefect UI; on the command line, where there is none, tables are printed."""

from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext
from rich.markup import escape

from expectations.markdown import cell


def table(key: str, rows: list[dict[str, Any]], title: str) -> None:
    """Leave a table; ``key`` (lower case, hyphens) strings the runs' tables together. No rows, no table.

    Outside a flow run it is printed on standard error, for the person who has typed the command.
    """
    if not rows:
        return
    if FlowRunContext.get() is not None:
        create_table_artifact(table=rows, key=key, description=title)
    else:
        _print(rows, title)


def _print(rows: list[dict[str, Any]], title: str) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title, title_justify="left", box=None)
    for name, value in rows[0].items():
        shown.add_column(name, justify="left" if isinstance(value, str) else "right")
    for row in rows:
        shown.add_row(*(escape(value) if isinstance(value, str) else f"{value:,}" for value in row.values()))
    Console(stderr=True).print(shown)


def markdown(key: str, text: str, title: str) -> None:
    """Leave a page of Markdown."""
    if FlowRunContext.get() is not None:
        create_markdown_artifact(markdown=text, key=key, description=title)


def link(key: str, target: Path, title: str) -> None:
    """Leave a link to a file of this machine; Prefect makes Markdown of it, in which a file's name is text."""
    if FlowRunContext.get() is not None:
        text = cell(title, None)
        create_link_artifact(link=target.absolute().as_uri(), link_text=text, key=key, description=text)
