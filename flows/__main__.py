"""The crypto-lake command: every flow with no server, and what else a person types.

Nothing heavy is imported before it is needed: ``crypto-lake --help`` answers at once.
"""

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import click
import typer
from typer.core import TyperGroup

from deployments import commands, query_commands, service_command
from flows import flow_commands
from flows.flow_commands import BAD_INPUT, DONE, FAILED, FLOWS, INTERRUPTED, say

_RUN, _OTHERS = commands.RUN, "Recordings, and the stand-in"


class _Panels(TyperGroup):
    """The commands by panel, in the order of a newcomer's questions; by default other files' come last."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, a panel of the help after the other."""
        order = (_RUN, commands.CARE, FLOWS, query_commands.ASK, _OTHERS)
        panels = {name: getattr(self.commands[name], "rich_help_panel", None) for name in self.commands}
        return sorted(panels, key=lambda name: [panel != panels[name] for panel in order])


app = typer.Typer(
    cls=_Panels,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A local-first lake for Binance market data. Settings: config.yml, or LAKE_… in the environment.\n\n"
    "Exit codes: 0 done, 1 failed or done only in part, 2 bad input, 128 + N ended by signal N.",
)
app.add_typer(service_command.app, name="service", rich_help_panel=_RUN)
app.add_typer(flow_commands.app)
app.add_typer(query_commands.app)
app.add_typer(commands.app)


@app.command(
    "import-frames", rich_help_panel=_OTHERS, epilog="[dim]crypto-lake import-frames solusdt.gz bnbusdt.txt[/]"
)
def import_frames(
    recordings: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings, gzip or plain.")],
) -> None:
    """Take recorded WebSocket frames (hftbacktest, cryptofeed) into the lake as raw parts."""
    from collector.recordings import import_file
    from lake import log, settings

    found = settings.load()
    log.start(found)
    missing = [str(path) for path in recordings if not path.is_file()]
    if missing:
        raise typer.BadParameter(f"{', '.join(missing)}: no such file; nothing was imported")
    for path in recordings:
        took = import_file(found.layout, path)
        note = " (imported before: nothing changed)" if took.before else ""
        typer.echo(
            f"{path}: {took.trades:,} trades, {took.quotes:,} quotes of {', '.join(took.symbols)}; {took.parts} parts; "
            f"{took.ignored:,} frames ignored, {took.quarantined:,} quarantined{note}"
        )


@app.command(
    rich_help_panel=_OTHERS,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def simulate(context: typer.Context) -> None:
    """Run a Binance stand-in on loopback (simulate --help tells more)."""
    from simulator import cli

    command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    command.command()(cli.simulate)
    raise typer.Exit(command(args=context.args, prog_name="crypto-lake simulate", standalone_mode=False) or DONE)


@app.command(rich_help_panel=_RUN)
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running, with the Prefect UI, until Ctrl-C.")] = False,
) -> None:
    """Show the whole lake at work in a few minutes: stand-in, Prefect, collector, every deployment."""
    from deployments import demo as show

    raise typer.Exit(show.run(keep=keep))


@app.command(rich_help_panel=_RUN)
def dashboard() -> None:
    """Show the lake in a browser, on 127.0.0.1 and the port that dashboard.port says, until Ctrl-C."""
    from gui import server
    from lake import settings

    server.run(settings.load())


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 failed or done only in part, 2 bad input; an error is one line.

    Ended by a signal it is 128 and the signal's number: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.
    """
    from pydantic import ValidationError

    from lake import interrupts
    from lake.errors import BadInputError, LakeError

    os.umask(os.umask(0o077) | 0o077)  # nobody else reads what is written from here on, by children (all of up) too
    if isinstance(sys.stdout, TextIOWrapper):  # else, sent to a file on Windows, it has the code page of the country
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        with interrupts.handled():
            code = app(args=arguments, prog_name="crypto-lake", standalone_mode=False)
            if code == INTERRUPTED:  # what typer makes of the exception
                interrupts.check()
                say("stopped", INTERRUPTED)
    except interrupts.Interrupted as stop:
        code = say(f"stopped by {stop.name}", stop.exit_code)
    except BadInputError as error:
        code = say(str(error), BAD_INPUT)
    except LakeError as error:
        code = say(str(error), FAILED)
    except ValidationError as error:
        first = error.errors()[0]
        code = say(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']} (given: {str(first['input'])[:60]!r})", BAD_INPUT
        )
    except PermissionError as error:
        code = say(f"{error.filename}: {error.strerror}: is it yours? crypto-lake runs as its owner", FAILED)
    except OSError as error:
        code = say(f"{error.filename or 'a file'}: {error.strerror or error}: check the folder and disk", FAILED)
    except typer.Abort:
        code = say("stopped", INTERRUPTED)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        code = say(error.format_message(), BAD_INPUT)
    sys.exit(code or DONE)


if __name__ == "__main__":
    main()
