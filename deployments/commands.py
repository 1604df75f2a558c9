"""The commands that keep a lake running and say how it is; what they need is imported when it is needed."""

import json
from typing import Annotated

import typer

app = typer.Typer()
RUN, CARE = "Run it", "How it is, and care"
"""Panels of the help."""
_Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@app.command(
    rich_help_panel=CARE,
    epilog="[dim]Exit codes: 0 healthy, 1 something is in error or behind, 2 the collector does not run, 3 it has been "
    "started and has received nothing yet (for 90 s at most).[/]",
)
def health(
    as_json: _Json = False,
) -> None:
    """Say how every part of the system is, for a person or a monitor."""
    from datetime import UTC, datetime

    from lake import health as lake_health
    from lake import health_screen, settings

    found = lake_health.compose(settings.load().layout, datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        health_screen.show(found)
    raise typer.Exit(found["exit_code"])


@app.command(rich_help_panel=RUN)
def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="On a made-up market in ./demo-data, without exchange or internet.")
    ] = False,
) -> None:
    """Start everything and keep it running: Prefect, worker, collector, dashboard, Data Docs; until Ctrl-C or down."""
    if demo:
        from deployments import up_demo

        raise typer.Exit(up_demo.run())
    from deployments import up as system

    raise typer.Exit(system.up())


@app.command(rich_help_panel=RUN)
def down() -> None:
    """Stop what up keeps running, from any shell."""
    from deployments import up as system

    typer.echo(system.down())


@app.command(rich_help_panel=RUN)
def status(
    as_json: _Json = False,
) -> None:
    """Show what up keeps running: each part, its state, process and address. Exit code 1: not up, or it hangs."""
    from datetime import UTC, datetime

    from rich.console import Console

    from deployments import up as system
    from deployments import up_shown
    from lake import settings

    found = system.status()
    silent = system.silent_s(found, datetime.now(UTC)) if found else None
    if as_json:
        typer.echo(json.dumps(found))
    elif found is None:
        typer.echo(f"{settings.load().layout.base}: not up: crypto-lake up starts everything")
    else:
        Console().print(up_shown.table(found))
        if silent:
            typer.echo(
                f"up itself, process {found['pid']}, has said nothing for {silent:,.0f} s: end it, then start it"
            )
    raise typer.Exit(0 if found and not silent else 1)


@app.command(rich_help_panel=CARE)
def doctor(
    as_json: _Json = False,
) -> None:
    """Look for what is wrong with this machine, the network and the lake, and say what to do. Exit code 1: a fail."""
    from rich.console import Console

    from deployments import doctor as look
    from lake.doctor import worst

    found = look.run()
    if as_json:
        typer.echo(json.dumps(look.as_json(found)))
    else:
        look.show(found, Console())
    raise typer.Exit(1 if worst(found) == "fail" else 0)


@app.command(rich_help_panel=CARE)
def disk(
    as_json: _Json = False,
) -> None:
    """Show what takes the space, by kind and by symbol, how fast it grows, and how long the disk will do."""
    from datetime import UTC, datetime

    from rich.console import Console

    from lake import settings, usage, usage_shown

    layout = settings.load().layout
    found, free = usage.measure(layout, datetime.now(UTC).date()), usage_shown.free(layout)
    if as_json:
        typer.echo(json.dumps(usage_shown.as_json(found, free)))
    else:
        usage_shown.show(found, free, Console())


@app.command(rich_help_panel=CARE)
def housekeeping() -> None:
    """Take away what killed processes left, and old logs of processes; up does it every day."""
    from datetime import UTC, datetime

    from deployments import housekeeping as keeper
    from lake import settings

    for line in keeper.housekeeping(settings.load(), datetime.now(UTC)) or ["nothing to do"]:
        typer.echo(line)


@app.command(rich_help_panel=CARE)
def automations() -> None:
    """Make Prefect's automations anew from deployments/automations, on the server of the settings."""
    from deployments import prefect_automations, system
    from lake import settings

    found = settings.load()
    typer.echo("made: " + ", ".join(prefect_automations.put(system.api(found), found.notify.block)))
