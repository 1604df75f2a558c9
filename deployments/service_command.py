"""`crypto-lake service …`: the command line of `deployments.service`, which is imported when it is needed."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Have the operating system run up: at boot, and again when it ends.")

_System = Annotated[
    bool, typer.Option("--system/--user", help="For the whole machine, from boot on (needs its administrator).")
]
_RunAs = Annotated[
    str | None, typer.Option("--run-as", metavar="USER", help="With --system on Linux: by default the clone's owner.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be written and run; change nothing.")]


@app.command(
    epilog="[dim]crypto-lake service install --dry-run[/]\n\n"
    "[dim]sudo .venv/bin/crypto-lake service install --system[/]"
)
def install(system: _System = False, run_as: _RunAs = None, dry_run: _DryRun = False) -> None:
    """Write the unit (systemd), agent (launchd) or task (Windows), and start it."""
    from deployments import service

    service.install(service.manager(system, run_as), typer.echo, dry_run=dry_run)


@app.command()
def uninstall(system: _System = False, dry_run: _DryRun = False) -> None:
    """Stop it and take it away; the lake stays as it is."""
    from deployments import service

    service.uninstall(service.manager(system), typer.echo, dry_run=dry_run)


@app.command()
def status(system: _System = False, run_as: _RunAs = None) -> None:
    """Say whether it is installed and runs. Exit code 1 when it does not run."""
    from deployments import service

    raise typer.Exit(0 if service.status(service.manager(system, run_as), typer.echo) else 1)
