"""The commands that allow rules of one's own to run; what they need is imported when it is needed."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Rules of your own: none runs before you have allowed it.")


@app.command("list")
def listed() -> None:
    """List the rules of your own in this lake, and whether they may run (exit code 1 where one may not)."""
    from lake import own_rules, settings

    found = own_rules.found(own_rules.project(settings.load().layout))
    for one in found:
        typer.echo(f"{'allowed' if one.is_allowed else 'not allowed':<11}  {one.name}")
    if not found:
        typer.echo("no rules of your own in this lake")
    raise typer.Exit(not all(one.is_allowed for one in found))


@app.command(epilog="[dim]crypto-lake rules allow data/reports/gx/plugins/expectations/busy.py[/]")
def allow(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Which; all of this lake if not given.")
    ] = None,
) -> None:
    """Allow rules of your own to run, as they are now: look at them first, as they run with your rights.

    Expectations added to a stored suite, and actions added to a checkpoint, are allowed by the file they are in. What
    is changed later is not allowed any more. What was allowed is kept in your own folder of settings.
    """
    from lake import own_rules, settings
    from lake.errors import BadInputError

    project = own_rules.project(settings.load().layout)
    found = own_rules.found(project)
    wanted = {path.resolve() for path in files or ()}
    if strange := wanted - {one.path.resolve() for one in found}:
        raise BadInputError(f"{min(strange)}: is no rule of your own in {project}: see crypto-lake rules list")
    new = [one for one in found if not one.is_allowed and (one.path.resolve() in wanted or not files)]
    own_rules.allow(new)
    for one in new:
        typer.echo(f"allowed  {one.name}")
