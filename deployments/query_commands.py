"""The commands that ask the lake, and hold what was taken out of it; what they need is imported when it is needed."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer()
ASK = "Ask it"
"""A panel of the help."""
_Shown = Literal["table", "csv", "json"]


@app.command(rich_help_panel=ASK, epilog="[dim]crypto-lake verify; crypto-lake verify sol.parquet[/]")
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A slice, with its receipt beside it. Left out: the whole lake."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Of the whole lake: as JSON, for programs.")] = False,
) -> None:
    """Verify every file of the lake by its checksum, or a slice by its receipt (exit code 1 where they differ).

    What is damaged goes to quarantine/damaged, and what can be built again is. One line is printed for each.
    """
    from lake import receipts

    if file is not None:
        typer.echo(receipts.verify(file))
        return
    from datetime import UTC, datetime

    from rich.console import Console

    from lake import scrub, settings

    found = settings.load()
    with Console(stderr=True).status("verify") as shown:
        done = scrub.run(
            found.layout, datetime.now(UTC), found.transformer.parquet_compression,
            progress=lambda share, name: shown.update(f"verify {share:.0%}: {name}"),
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(asdict(done), indent=1))
    else:
        for line in [*(one.line for one in done.damaged), done.line]:
            typer.echo(line)
    raise typer.Exit(1 if done.damaged else 0)


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
