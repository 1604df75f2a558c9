"""Markdown as the report has it: tables, cells in which markup is harmless, links of our own making."""

import html
import re
from pathlib import Path
from typing import Any

_CELL = 80
_MARKUP = re.compile(r"([\\`*_\[\]{}|~#])")


def table(head: list[str], rows: list[list[Any]], numbers: str = "") -> str:
    """Return a Markdown table; the columns named in ``numbers`` (indices as digits) are aligned right."""
    rule = ["---:" if str(index) in numbers.split() else "---" for index in range(len(head))]
    lines = [head, rule, *([cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: Any, limit: int | None = _CELL) -> str:
    """Return a value as a table's cell: integers in thousands, null said, and text that is markup made harmless."""
    if isinstance(value, Link):
        return value
    if value is None:
        return "null"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return repr(value)
    text = " ".join(str(value).split())
    text = text if limit is None or len(text) <= limit else f"{text[:limit]}…"
    return _MARKUP.sub(r"\\\1", html.escape(text, quote=False))


class Link(str):
    """Markdown that is meant: a link of our own making."""

    __slots__ = ()

    @classmethod
    def to(cls, text: str, path: Path, report: Path) -> "Link":
        """Return a relative link from the report to a file."""
        from expectations.project import link

        return cls(f"[{cell(text)}]({link(path, report.parent)})")
