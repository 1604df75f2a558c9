"""What a flow run leaves to look at in the Prefect UI. Outside a flow run there is no UI, and nothing is left."""

from pathlib import Path
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.context import FlowRunContext


def table(key: str, rows: list[dict[str, Any]], title: str) -> None:
    """Leave a table; ``key`` (lower case, hyphens) strings the runs' tables together. No rows, no table."""
    if rows and FlowRunContext.get() is not None:
        create_table_artifact(table=rows, key=key, description=title)


def markdown(key: str, text: str, title: str) -> None:
    """Leave a page of Markdown."""
    if FlowRunContext.get() is not None:
        create_markdown_artifact(markdown=text, key=key, description=title)


def link(key: str, target: Path, title: str) -> None:
    """Leave a link to a file of this machine."""
    if FlowRunContext.get() is not None:
        create_link_artifact(link=target.absolute().as_uri(), link_text=title, key=key, description=title)
