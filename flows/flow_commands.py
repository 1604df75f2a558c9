"""The flows as commands, each without a server: `crypto-lake transform-hour` and its like.

Nothing heavy is imported before it is needed: ``crypto-lake --help`` answers at once.
"""

import ast
import inspect
import json
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from prefect import Flow

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
FLOWS = "Flows, each without a server too"
_HERE = Path(__file__).parent

app = typer.Typer()


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
    rich_help_panel=FLOWS,
    epilog="[dim]crypto-lake collect-live --symbols SOLUSDT,BTCUSDT --duration 60[/]",
)
def collect_live(
    symbols: Annotated[_Text, _option("collect_live", "symbols")] = None,
    duration: Annotated[float | None, _option("collect_live", "duration")] = None,
    force: Annotated[bool, _option("collect_live", "force")] = False,
) -> None:
    """Record trades and best quotes until Ctrl-C."""
    _run("collect_live", symbols=_listed(symbols), duration=duration, force=force)


@app.command(
    "transform-hour",
    rich_help_panel=FLOWS,
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


@app.command("compact-day", rich_help_panel=FLOWS, epilog="[dim]crypto-lake compact-day --date 2025-10-21[/]")
def compact_day(
    symbols: Annotated[_Text, _option("compact_day", "symbols")] = None,
    date: Annotated[_Text, _option("compact_day", "date")] = None,
) -> None:
    """Make one file, with its SHA-256, of each closed day."""
    _run("compact_day", symbols=_listed(symbols), date=date)


@app.command(
    "backfill-binance",
    rich_help_panel=FLOWS,
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
    rich_help_panel=FLOWS,
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
    rich_help_panel=FLOWS,
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
    rich_help_panel=FLOWS,
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
    rich_help_panel=FLOWS,
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
        say(state.message, FAILED)
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


def say(text: str, code: int) -> int:
    """Print one line of this command's to standard error; return the exit code."""
    with suppress(OSError):  # a terminal that was closed
        typer.echo(f"crypto-lake: {' '.join(text.split())}", err=True)
    return code
