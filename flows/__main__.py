"""The crypto-lake command: every flow with no server, and what else a person types.

Nothing heavy is imported before it is needed: ``crypto-lake --help`` answers at once.
"""

import ast
import inspect
import json
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click
import typer
from typer.core import TyperGroup

from deployments import commands, query_commands, service_command

if TYPE_CHECKING:
    from prefect import Flow

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
_HERE = Path(__file__).parent

_RUN, _FLOWS, _OTHERS = commands.RUN, "Flows, each without a server too", "Recordings, and the stand-in"


class _Panels(TyperGroup):
    """The commands by panel, in the order of a newcomer's questions; by default other files' come last."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, a panel of the help after the other."""
        order = (_RUN, commands.CARE, _FLOWS, query_commands.ASK, _OTHERS)
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
    "Exit codes: 0 done, 1 failed or done only in part, 2 bad input.",
)
app.add_typer(service_command.app, name="service", rich_help_panel=_RUN)
app.add_typer(query_commands.app)
app.add_typer(commands.app)


def _option(flow: str, name: str) -> Any:
    """An option that is a flow's parameter: its help is that line of the flow's docstring, not imported."""
    return typer.Option(f"--{name.replace('_', '-')}", help=_described(flow)[name], show_default=False)


def _described(flow: str) -> dict[str, str]:
    tree = ast.parse((_HERE / f"{flow}.py").read_text(encoding="utf-8"))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == flow)
    lines = (ast.get_docstring(function) or "").partition("Args:\n")[2].splitlines()
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith("     "):
            found[list(found)[-1]] += f" {line.strip()}"
        else:
            name, _, text = line.strip().partition(": ")
            found[name] = text
    return found


_Text = str | None


@app.command(
    "collect-live",
    rich_help_panel=_FLOWS,
    epilog="[dim]crypto-lake collect-live --symbols SOLUSDT,BTCUSDT --duration 60[/]",
)
def collect_live(
    symbols: Annotated[_Text, _option("collect_live", "symbols")] = None,
    duration: Annotated[float | None, _option("collect_live", "duration")] = None,
) -> None:
    """Record trades and best quotes until Ctrl-C."""
    _run("collect_live", symbols=_listed(symbols), duration=duration)


@app.command(
    "transform-hour",
    rich_help_panel=_FLOWS,
    epilog="[dim]crypto-lake transform-hour[/]  (all that is pending)\n\n"
    "[dim]crypto-lake transform-hour --symbols SOLUSDT --start 2025-10-21T00:00:00Z --end 2025-10-22T00:00:00Z[/]",
)
def transform_hour(
    symbols: Annotated[_Text, _option("transform_hour", "symbols")] = None,
    start: Annotated[_Text, _option("transform_hour", "start")] = None,
    end: Annotated[_Text, _option("transform_hour", "end")] = None,
) -> None:
    """Build 1-second bars from raw parts."""
    _run("transform_hour", symbols=_listed(symbols), start=start, end=end)


@app.command("compact-day", rich_help_panel=_FLOWS, epilog="[dim]crypto-lake compact-day --date 2025-10-21[/]")
def compact_day(
    symbols: Annotated[_Text, _option("compact_day", "symbols")] = None,
    date: Annotated[_Text, _option("compact_day", "date")] = None,
) -> None:
    """Make one file, with its SHA-256, of each closed day."""
    _run("compact_day", symbols=_listed(symbols), date=date)


@app.command(
    "backfill-binance",
    rich_help_panel=_FLOWS,
    epilog="[dim]crypto-lake backfill-binance --lookback-days 30[/]\n\n"
    "[dim]crypto-lake backfill-binance --symbols SOLUSDT --interval 1h --start 2024-01-01 --end 2025-01-01[/]",
)
def backfill_binance(
    symbols: Annotated[_Text, _option("backfill_binance", "symbols")] = None,
    lookback_days: Annotated[int | None, _option("backfill_binance", "lookback_days")] = None,
    interval: Annotated[_Text, _option("backfill_binance", "interval")] = None,
    start: Annotated[_Text, _option("backfill_binance", "start")] = None,
    end: Annotated[_Text, _option("backfill_binance", "end")] = None,
    source: Annotated[_Text, _option("backfill_binance", "source")] = None,
    dry_run: Annotated[bool, _option("backfill_binance", "dry_run")] = False,
) -> None:
    """Fetch the exchange's own klines that the lake lacks."""
    given = {"symbols": _listed(symbols), "lookback_days": lookback_days, "interval": interval, "source": source}
    _run("backfill_binance", start=start, end=end, dry_run=dry_run, **given)


@app.command(
    "derivatives-hour",
    rich_help_panel=_FLOWS,
    epilog="[dim]crypto-lake derivatives-hour --lookback-days 30[/]\n\n"
    "[dim]crypto-lake derivatives-hour --symbols SOLUSDT,BTCUSDT --start 2025-01-01 --end 2025-07-01[/]",
)
def derivatives_hour(
    symbols: Annotated[_Text, _option("derivatives_hour", "symbols")] = None,
    lookback_days: Annotated[int | None, _option("derivatives_hour", "lookback_days")] = None,
    start: Annotated[_Text, _option("derivatives_hour", "start")] = None,
    end: Annotated[_Text, _option("derivatives_hour", "end")] = None,
) -> None:
    """Fetch funding rates and open interest of USD-M perpetuals."""
    _run("derivatives_hour", symbols=_listed(symbols), lookback_days=lookback_days, start=start, end=end)


@app.command(
    "macro-minute",
    rich_help_panel=_FLOWS,
    epilog="[dim]crypto-lake macro-minute --tickers SPY,UUP --lookback-days 3[/]",
)
def macro_minute(
    tickers: Annotated[_Text, _option("macro_minute", "tickers")] = None,
    lookback_days: Annotated[_Text, _option("macro_minute", "lookback_days")] = None,
) -> None:
    """Fetch 1-minute bars of macro tickers from Yahoo."""
    _run("macro_minute", tickers=_listed(tickers), lookback_days=lookback_days)


@app.command(
    "validate-rules",
    rich_help_panel=_FLOWS,
    epilog="[dim]crypto-lake validate-rules --start 2025-10-21 --end 2025-10-22 --json[/]",
)
def validate_rules(
    symbols: Annotated[_Text, _option("validate_rules", "symbols")] = None,
    start: Annotated[_Text, _option("validate_rules", "start")] = None,
    end: Annotated[_Text, _option("validate_rules", "end")] = None,
    tf: Annotated[_Text, _option("validate_rules", "tf")] = None,
    source: Annotated[_Text, _option("validate_rules", "source")] = None,
    report: Annotated[_Text, _option("validate_rules", "report")] = None,
    fetch_klines: Annotated[bool, _option("validate_rules", "fetch_klines")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON to standard output.")] = False,
) -> None:
    """Check bars, klines, macro minutes or derivatives against the rules: PASS, INVESTIGATE or FAIL (exit code 1)."""
    given = {
        "symbols": _listed(symbols),
        "start": start,
        "end": end,
        "tf": tf,
        "source": source,
        "report": _here(report),
        "fetch_klines": fetch_klines,
    }
    _run("validate_rules", as_json=as_json, **given)


@app.command(
    "slice-export",
    rich_help_panel=_FLOWS,
    epilog="[dim]crypto-lake slice-export --symbols SOLUSDT,SUIUSDT --start 2025-10-21 --end 2025-10-28 --tf 1m "
    "--format csv --out sol.csv[/]\n\n"
    "[dim]crypto-lake slice-export --symbols SOLUSDT --start 2025-10-21 --end 2025-10-22 --require-complete "
    "--out sol.parquet && crypto-lake verify sol.parquet[/]\n\n"
    "[dim]crypto-lake slice-export --source macro --symbols SPY,EURUSD=X --start 2025-10-21 --end 2025-10-22 "
    "--out macro.parquet[/]",
)
def slice_export(
    symbols: Annotated[str, _option("slice_export", "symbols")],
    start: Annotated[str, _option("slice_export", "start")],
    end: Annotated[str, _option("slice_export", "end")],
    out: Annotated[str, typer.Option("--out", help="File to write, NAME.receipt.json beside it.", show_default=False)],
    tf: Annotated[_Text, _option("slice_export", "tf")] = None,
    source: Annotated[_Text, _option("slice_export", "source")] = None,
    form: Annotated[_Text, _option("slice_export", "format")] = None,
    compression: Annotated[_Text, _option("slice_export", "compression")] = None,
    overwrite: Annotated[bool, _option("slice_export", "overwrite")] = False,
    require_complete: Annotated[bool, _option("slice_export", "require_complete")] = False,
) -> None:
    """Write bars, klines, macro minutes or fundings to one Parquet or CSV file, with a receipt."""
    given = {"symbols": _listed(symbols), "start": start, "end": end, "out": _here(out), "tf": tf, "source": source}
    options = {"compression": compression, "overwrite": overwrite, "require_complete": require_complete}
    _run("slice_export", format=form, **given, **options)


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


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _here(path: str | None) -> str | None:
    """On the command line a relative path is one from where one stands."""
    return path and str(Path(path).expanduser().absolute())


def _run(name: str, *, as_json: bool = False, **given: Any) -> None:
    """Run a flow's plain function, with no server, and leave with its exit code."""
    from deployments import prefect_stack
    from lake import log, settings

    prefect_stack.unreported()
    from tasks import runs

    log.start(settings.load())
    flow: Flow[..., Any] = getattr(import_module(f"flows.{name}"), name)
    state = flow.fn(**_checked(flow.fn, {key: value for key, value in given.items() if value is not None}))
    wrong = state.is_failed() or state.name == runs.ALREADY_RUNNING
    if as_json and state.data is not None:
        typer.echo(json.dumps(state.data, default=str))
    elif wrong:
        _say(state.message, FAILED)
    else:
        typer.echo(state.message)
    raise typer.Exit(FAILED if wrong else DONE)


def _checked(function: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Check parameters by the flow's own types, as Prefect does in a run."""
    from pydantic import create_model

    parameters = inspect.signature(function, eval_str=True).parameters.values()
    fields: Any = {p.name: (p.annotation, ... if p.default is p.empty else p.default) for p in parameters}
    model = create_model("Parameters", **fields)(**given)
    return {name: getattr(model, name) for name in fields}


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 failed or done only in part, 2 bad input; an error is one line."""
    from pydantic import ValidationError

    from lake.errors import BadInputError, LakeError

    os.umask(os.umask(0o077) | 0o077)  # nobody else reads what is written from here on, by children (all of up) too
    if isinstance(sys.stdout, TextIOWrapper):  # else, sent to a file on Windows, it has the code page of the country
        sys.stdout.reconfigure(encoding="utf-8")
    try:
        code = app(args=arguments, prog_name="crypto-lake", standalone_mode=False)
        if code == INTERRUPTED:  # how typer tells of Ctrl-C
            _say("stopped", INTERRUPTED)
    except BadInputError as error:
        code = _say(str(error), BAD_INPUT)
    except LakeError as error:
        code = _say(str(error), FAILED)
    except ValidationError as error:
        first = error.errors()[0]
        code = _say(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']} (given: {str(first['input'])[:60]!r})", BAD_INPUT
        )
    except PermissionError as error:
        code = _say(f"{error.filename}: {error.strerror}: is it yours? crypto-lake runs as its owner", FAILED)
    except typer.Abort:
        code = _say("stopped", INTERRUPTED)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        code = _say(error.format_message(), BAD_INPUT)
    sys.exit(code or DONE)


def _say(text: str, code: int) -> int:
    typer.echo(f"crypto-lake: {' '.join(text.split())}", err=True)
    return code


if __name__ == "__main__":
    main()
