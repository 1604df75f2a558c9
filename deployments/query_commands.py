"""The commands that ask the lake, and hold what was taken out of it; what they need is imported when it is needed."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer()
ASK = "Ask it"
"""A panel of the help."""
_Shown = Literal["table", "csv", "json"]


@app.command(rich_help_panel=ASK, epilog="[dim]crypto-lake verify sol.parquet[/]")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A slice, with its receipt beside it.")],
) -> None:
    """Hold a slice against its receipt: SHA-256, size and rows (exit code 1 where they differ)."""
    from lake import receipts

    typer.echo(receipts.verify(file))


@app.command(
    rich_help_panel=ASK,
    epilog='[dim]crypto-lake views > views.sql; duckdb -init views.sql -c "FROM bars_1m LIMIT 5"[/]',
)
def views() -> None:
    """Print the SQL of every view, for any DuckDB client."""
    from lake import settings, views

    typer.echo(views.sql(settings.load().layout))


@app.command(
    rich_help_panel=ASK,
    epilog="[dim]crypto-lake sql 'SELECT symbol, sum(trade_count) AS trades FROM bars_1h GROUP BY ALL'[/]",
)
def sql(
    query: Annotated[str, typer.Argument(help="SQL over the views (SHOW TABLES lists them); - reads stdin.")],
    form: Annotated[_Shown, typer.Option("--format", help="table to look at; csv, json: every row.")] = "table",
    rows: Annotated[int, typer.Option(min=1, max=100_000, help="Rows of a table.")] = 40,
) -> None:
    """Run one query on the lake, which it can only read."""
    from lake import answers
    from lake.errors import LakeError

    try:
        answers.answer(sys.stdin.read() if query == "-" else query, form, sys.stdout, rows, confined=True)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to say at exit
        if not isinstance(error, BrokenPipeError):  # whoever reads has seen enough: sql … | head
            raise LakeError(f"standard output: cannot be written ({error.strerror or error})") from error
