"""The crypto-lake command: every flow with no server, and what else a person types.

Nothing heavy is imported before it is needed: ``crypto-lake --help`` answers at once.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
import typer
from typer.core import TyperGroup

from deployments import commands, query_commands, rules_commands, service_command
from flows import flow_commands
from flows.flow_commands import BAD_INPUT, DONE, FAILED, FLOWS, INTERRUPTED, say

if TYPE_CHECKING:
    from lake.layout import Layout
    from lake.progress import Progress

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
app.add_typer(rules_commands.app, name="rules", rich_help_panel=commands.CARE)
app.add_typer(flow_commands.app)
app.add_typer(query_commands.app)
app.add_typer(commands.app)


@app.command(
    "import-frames",
    rich_help_panel=_OTHERS,
    epilog="[dim]crypto-lake import-frames solusdt_20251020.gz BINANCE.ws.1.0 && crypto-lake transform-hour[/]\n\n"
    "[dim]crypto-lake import-frames SOLUSDT-trades-2025-10-20.zip[/]\n\n"
    "[dim]crypto-lake import-frames --format jsonl --market spot my-recorder.jsonl[/]",
)
def import_frames(
    recordings: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Text, gzip, or a zip with one member.")],
    form: Annotated[
        str | None,
        typer.Option("--format", help="A name of the list above; recognized if not given."),
    ] = None,
    market: Annotated[
        str | None,
        typer.Option("--market", help="spot: state it for files that do not show it."),
    ] = None,
) -> None:
    """Import recorded trades and best quotes of Binance spot as raw parts.

    A file's format is recognized by its lines (TIME is in s, ms, µs or ns, or ISO 8601):

    hftbacktest, tardis-raw: TIME FRAME
    cryptofeed: TIME: FRAME, and its own lines
    jsonl: FRAME, or {"ts": TIME, "raw": FRAME} and its like
    tardis-machine: {"localTimestamp": TIME, "message": FRAME}
    tardis-trades: CSV of tardis
    binance-trades, binance-aggtrades: CSV of the exchange's archive, or its zip
    crypto-lake: a raw part of another lake

    A trade without a receive time counts as received at its own time; a quote is quarantined.
    A file of another market than Binance spot is refused: nothing of it is imported.
    Exit code 1: not all of a file, or not all of the files, could be imported.
    """
    from collector import recordings as importing
    from lake import log, settings

    found = settings.load()
    log.start(found)
    importing.check(recordings, form, market)
    codes = {_import(found.layout, path, form, market) for path in recordings}
    raise typer.Exit(codes.pop() if len(codes) == 1 else FAILED)


def _import(layout: "Layout", path: Path, form: str | None, market: str | None) -> int:
    """Import one file, print what it brought, and return the exit code it deserves."""
    from collector.recordings import import_file
    from lake.errors import BadInputError

    try:
        with _progress(f"import {path.name}") as progress:
            took = import_file(layout, path, market=market, form=form, progress=progress)
    except BadInputError as error:
        return say(str(error), BAD_INPUT)
    events = f"{_many(took.trades, 'trade')}, {_many(took.quotes, 'quote')} of {', '.join(took.symbols)}"
    rest = f"{_many(took.ignored, 'line')} ignored, {took.quarantined:,} quarantined"
    note = " (imported before: nothing changed)" if took.before else ""
    typer.echo(f"{click.format_filename(path)}: {took.format}, {events}; {_many(took.parts, 'part')}; {rest}{note}")
    for lost in took.lost:
        say(f"{path}: {lost}", FAILED)
    return FAILED if took.lost else DONE


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@contextmanager
def _progress(what: str) -> Iterator["Progress"]:
    """Show a bar where a person looks; elsewhere Prefect, which comes with it, is not even imported."""
    from lake.progress import quiet

    if sys.stderr.isatty():
        from deployments import prefect_stack

        prefect_stack.unreported()
        from tasks import progress

        with progress.shown(what) as shown:
            yield shown
    else:
        yield quiet


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
